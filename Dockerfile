# Two images: `docker build --target bot .` and `--target agent`. Neither was built where this project is developed.
FROM python:3.11-slim AS base
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1
WORKDIR /app
COPY requirements-build.lock ./
RUN pip install --require-hashes -r requirements-build.lock


FROM base AS bot
COPY requirements-bot.lock ./
RUN pip install --require-hashes -r requirements-bot.lock
COPY . .
RUN pip install --no-deps --no-build-isolation . \
 && useradd --system --home-dir /var/lib/gamekeeper --create-home gamekeeper
USER gamekeeper
ENV GAMEKEEPER_DATA_DIR=/var/lib/gamekeeper GAMEKEEPER_BIND=0.0.0.0:8377 GAMEKEEPER_LOG_FORMAT=json
VOLUME /var/lib/gamekeeper
EXPOSE 8377
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8377/healthz', timeout=4)"]
CMD ["gamekeeper", "run"]


# Holds no game: build on top of it, or run the agent on the host itself (docs/agent.md).
FROM base AS agent
COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock
COPY . .
RUN pip install --no-deps --no-build-isolation . \
 && useradd --system --home-dir /var/lib/gamekeeper-agent --create-home gamekeeper
USER gamekeeper
ENV XDG_CONFIG_HOME=/var/lib/gamekeeper-agent/config XDG_DATA_HOME=/var/lib/gamekeeper-agent/data
VOLUME /var/lib/gamekeeper-agent
HEALTHCHECK --interval=60s --timeout=20s --start-period=30s CMD ["gamekeeper-agent", "doctor"]
CMD ["gamekeeper-agent", "run"]
