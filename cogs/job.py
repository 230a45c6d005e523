"""/job: list, show, cancel, retry."""

from discord import app_commands
from discord.ext import commands

from bot.errors import Invalid
from bot.gate import Call, Reply, Show, action, gate
from bot.ui import job_output, jobs
from bot.ui.cards import listing, notice
from cogs import choices

_STATES = [app_commands.Choice(name=name, value=name) for name in ("live", "success", "failed", "cancelled", "expired")]


def _number(text: str) -> int:
    digits = text.strip().upper().removeprefix("J-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 15:
        raise Invalid("That is no job number.", "Such as `J-12`; `/job list` shows them.")
    return int(digits)


@app_commands.guild_only()
@app_commands.default_permissions(moderate_members=True)
class JobCog(commands.GroupCog, group_name="job", group_description="What hosts do and did"):
    """Handlers of /job."""

    @app_commands.command(name="list", description="Jobs, newest first")
    @app_commands.describe(state="Only in this state", server="Only of this server")
    @app_commands.choices(state=[app_commands.Choice(name=choice.name, value=choice.value) for choice in _STATES])
    @app_commands.autocomplete(server=choices.server)
    @gate("jobs.view")
    async def list(self, call: Call, state: str = "", server: str = "") -> Reply:
        # the pages carry the id: a name may be too long for a button, or hold what separates its arguments
        known = (await call.services.servers.show(call.actor, server)).id.hex if server else ""
        return await _page(call, state, known, 0)

    @app_commands.command(name="show", description="One job: its steps, its end and its output")
    @app_commands.describe(job="Which job")
    @app_commands.autocomplete(job=choices.job)
    @gate("jobs.view")
    async def show(self, call: Call, job: str) -> Reply:
        return await _open(call, _number(job))

    @app_commands.command(name="cancel", description="Cancel a job that waits or runs")
    @app_commands.describe(job="Which job")
    @app_commands.autocomplete(job=choices.live_job)
    @gate("jobs.cancel")
    async def cancel(self, call: Call, job: str) -> Reply:
        return await _cancel(call, _number(job))

    @app_commands.command(name="retry", description="Do a job again that did not succeed")
    @app_commands.describe(job="Which job")
    @app_commands.autocomplete(job=choices.failed_job)
    @gate("jobs.cancel")
    async def retry(self, call: Call, job: str) -> Reply:
        return await _retry(call, _number(job))


@action("job.page", "jobs.view")
async def _page(call: Call, state: str, server: str, page: int) -> Reply:
    found = await call.services.jobs.list(call.actor, status=state, server=server, page=page)
    lines = [jobs.line(job) for job in found.rows]
    return Reply(
        listing(
            "Jobs",
            lines,
            empty="No job is like that.",
            page=found.number,
            more=found.more,
            route="job.page",
            args=(state, server),
        )
    )


@action("job.open", "jobs.view", Show.PRIVATE)
async def _open(call: Call, number: int) -> Reply:
    job = await call.services.jobs.show(call.actor, number)
    return Reply(jobs.progress_card(job, may=call.actor.on(job.server_id)))


@action("job.output", "files.download", Show.PRIVATE)
async def _output(call: Call, number: int) -> Reply:
    """The button of a card that shows only the end of it."""
    shown, file = job_output.file_card(await call.services.jobs.show(call.actor, number, whole=True))
    return Reply(shown, files=[file])


@action("job.cancel", "jobs.cancel", Show.PRIVATE)
async def _cancel(call: Call, number: int) -> Reply:
    job = await call.services.jobs.cancel(call.actor, number)
    begun = "It is being cancelled; its message says how it ended." if job.status == "running" else "It had not begun."
    return Reply(notice(f"J-{number} is cancelled" if job.status != "running" else f"Cancelling J-{number}", begun))


@action("job.retry", "jobs.cancel", Show.PRIVATE)
async def _retry(call: Call, number: int) -> Reply:
    job = await call.services.jobs.retry(call.actor, number)
    return Reply(notice(f"J-{number} is done again", job.where))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(JobCog())
