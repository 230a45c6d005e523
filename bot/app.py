"""The composition root: the one place that knows every concrete class. Builds, starts and stops a process in order."""

import asyncio
import logging
import secrets
import socket
from collections.abc import Collection
from datetime import timedelta
from importlib.metadata import version
from typing import Final

from aiohttp import web

from bot.client import Client
from bot.config import Settings
from bot.errors import Conflict
from bot.guild_facts import DiscordFacts
from bot.guilds import DiscordGuilds
from bot.http import build_health, build_web
from bot.messenger import Messenger
from bot.roles import ROLES
from bot.running import Background, Site
from bot.services import Services
from bot.services.access_bindings import AccessBindings
from bot.services.access_clearing import AccessClearing
from bot.services.access_members import AccessMembers
from bot.services.access_roles import AccessRoles
from bot.services.access_sight import AccessSight
from bot.services.agents import Agents
from bot.services.alerts import Alerts
from bot.services.artifact_store import ArtifactStore
from bot.services.artifacts import Artifacts
from bot.services.audit import Audit
from bot.services.audit_export import AuditExport
from bot.services.audit_verify import AuditVerify
from bot.services.backups import Backups
from bot.services.bans import Bans
from bot.services.bans_adding import BanAdding
from bot.services.bans_lifting import BanLifting
from bot.services.batches import Batches
from bot.services.batches_starting import BatchStarting
from bot.services.cards import Cards
from bot.services.channels import Channels
from bot.services.config import Config
from bot.services.confirmations import Confirmations
from bot.services.consoles import Consoles
from bot.services.downloads import Downloads
from bot.services.fleet import Fleet
from bot.services.fleet_tags import FleetTags
from bot.services.heartbeats import Heartbeats
from bot.services.holds import Holds
from bot.services.hosts import Hosts
from bot.services.identity import Identity
from bot.services.incidents import Incidents
from bot.services.jobs import Jobs
from bot.services.jobs_queue import JobQueue
from bot.services.leases import Leases
from bot.services.log_search import LogSearch
from bot.services.macros import Macros
from bot.services.macros_adding import MacroAdding
from bot.services.maintenance import Maintenance
from bot.services.mods import Mods
from bot.services.mods_inventory import ModInventory
from bot.services.outbox import Outbox
from bot.services.panels import Panels
from bot.services.players import Players
from bot.services.power import Power
from bot.services.privacy import Privacy
from bot.services.records import Records
from bot.services.schedules import Schedules
from bot.services.schedules_adding import ScheduleAdding
from bot.services.schedules_authors import Membership, ScheduleAuthors
from bot.services.schedules_editing import ScheduleEditing
from bot.services.schedules_running import ScheduleRunning
from bot.services.schedules_showing import ScheduleShowing
from bot.services.secrets import SecretKeys, check_fingerprint
from bot.services.servers import Servers
from bot.services.setup import Setup
from bot.services.setup_check import Process, SetupCheck
from bot.services.setup_mending import SetupMending
from bot.services.setup_wizard import Wizard
from bot.services.state import State
from bot.services.tick_facts import CHANNEL as TICKS
from bot.shards import Shards
from bot.workers.leading import Leading
from bot.workers.outbox import OutboxWorker
from bot.workers.sweeps import DUTIES, Tick, ticks_of
from bot.workers.ticks import Ticks
from db.engine import Database

log = logging.getLogger(__name__)

DRAIN_SECONDS: Final = 10.0
"""How long a stop waits for what is under way."""


class App:
    """One process: services, the Discord client, the HTTP side and the workers."""

    def __init__(
        self, settings: Settings, database_url: str, keys: SecretKeys, roles: Collection[str] = tuple(ROLES)
    ) -> None:
        self.settings = settings
        self.roles = roles
        self.holder = f"{socket.gethostname()}:{secrets.token_hex(4)}"
        self.db = Database(database_url, role="interactions")
        self.work_db = Database(database_url, role="workers")
        self.keys = keys
        self.services = self._services()
        self.client = Client(self.services)
        self.messenger = Messenger(self.client, self.services)
        # a pool that ticks and commands have used up must not cost a lease
        self.lease_db = Database(database_url, role="leases", pool_size=1, max_overflow=0)
        self.leases = Leases(self.lease_db, self.holder)
        self.leading = Leading(self.leases, DUTIES if "workers" in roles else (), roles)
        self.outbox = OutboxWorker(Outbox(self.work_db), self.messenger, self.leading.connected)
        tidying = Tick("artifacts.tidy", timedelta(days=1), self.services.artifacts.tidy, first=timedelta(minutes=20))
        ticks = [*ticks_of(self.work_db, self._under), tidying] if "workers" in roles else []
        self.ticks = Ticks(self.work_db, ticks, self.leading.leads)
        self.site = Site(settings.host, settings.port)
        self.background = Background()

    def _services(self) -> Services:
        db = self.db
        jobs = Jobs(db)
        power, fleet = Power(db, jobs), Fleet(db)
        hosts, mods = Hosts(db, self.keys), Mods(db)
        schedules, schedule_adding, schedule_running = Schedules(db), ScheduleAdding(db), ScheduleRunning(db)
        schedule_editing = ScheduleEditing(db, schedules)
        schedule_authors = ScheduleAuthors(db, self._membership)
        macros, macro_adding = Macros(db), MacroAdding(db)
        setup = Setup(db)
        wizard = Wizard(db, DiscordGuilds(lambda: self.client), setup)
        ban_adding, ban_lifting = BanAdding(db), BanLifting(db)
        channels, panels, guilds = Channels(db), Panels(db), DiscordFacts(lambda: self.client)
        access_roles = AccessRoles(db)
        batch_starting = BatchStarting(db)
        performers = {
            "access.role.delete": access_roles.deleted,
            "ban.add": ban_adding.confirmed,
            "ban.lift": ban_lifting.confirmed,
            "batch.start": batch_starting.confirmed,
            "server.stop": power.confirmed,
            "server.restart": power.confirmed,
            "server.kill": power.confirmed,
            "fleet.remove": fleet.removed,
            "host.remove": hosts.removed,
            "macro.add": macro_adding.saved,
            "macro.remove": macros.removed,
            "macro.run": macros.confirmed,
            "mod.deploy": mods.confirmed,
            "schedule.add": schedule_adding.saved,
            "schedule.edit": schedule_editing.edited,
            "schedule.remove": schedules.removed,
            "schedule.run": schedule_running.confirmed,
        }
        return Services(
            access_bindings=AccessBindings(db),
            access_clearing=AccessClearing(db),
            access_members=AccessMembers(db),
            access_roles=access_roles,
            access_sight=AccessSight(db),
            artifacts=Artifacts(db, ArtifactStore(self.settings.artifacts), Downloads()),
            alerts=Alerts(db),
            audit=Audit(db),
            audit_export=AuditExport(db),
            audit_verify=AuditVerify(db),
            backups=Backups(db),
            bans=Bans(db),
            ban_adding=ban_adding,
            ban_lifting=ban_lifting,
            batches=Batches(db),
            batch_starting=batch_starting,
            cards=Cards(db),
            channels=channels,
            config=Config(db),
            confirmations=Confirmations(db, performers),
            consoles=Consoles(db),
            fleet=fleet,
            fleet_tags=FleetTags(db),
            holds=Holds(db),
            hosts=hosts,
            identity=Identity(db),
            incidents=Incidents(db),
            jobs=jobs,
            log_search=LogSearch(db),
            maintenance=Maintenance(db),
            macros=macros,
            macro_adding=macro_adding,
            mods=mods,
            panels=panels,
            players=Players(db),
            power=power,
            privacy=Privacy(db),
            schedules=schedules,
            schedule_adding=schedule_adding,
            schedule_authors=schedule_authors,
            schedule_editing=schedule_editing,
            schedule_running=schedule_running,
            schedule_showing=ScheduleShowing(db, schedule_authors),
            servers=Servers(db),
            setup=setup,
            setup_check=SetupCheck(db, guilds, lambda: self.ticks, self._process()),
            setup_mending=SetupMending(
                db, guilds, lambda: self.ticks, channels=channels, panels=panels, make_channel=wizard.make_channel
            ),
            state=State(db),
            wizard=wizard,
            public_url=lambda: self.public_url,
        )

    def _under(self, duty: str) -> Database:
        """The database as this process writes to it while it has a duty."""
        return self.work_db.under(lambda: self.leases.under(duty))

    def _process(self) -> Process:
        """What `/setup check` says of this process."""
        settings = self.settings
        embedded = not settings.database_url
        return Process(
            version("gamekeeper"),
            embedded,
            settings.data_dir,
            settings.shards,
            roles=tuple(ROLES),
            duties=tuple(DUTIES),
        )

    async def _membership(self, guild_id: int, user_id: int) -> Membership | None:
        return await self.client.membership(guild_id, user_id)  # of the client that is connected then

    def make_client(self) -> Client:
        """The Discord client; a new one in place of a closed one, which cannot connect again."""
        return self.remade_client() if self.client.is_closed() else self.client

    def remade_client(self) -> Client:
        """A new Discord client, through which messages leave from now on."""
        self.client = self.messenger.client = Client(self.services)
        return self.client

    @property
    def port(self) -> int:
        """What the web site is served on; 0 before it is."""
        return self.site.port

    @property
    def public_url(self) -> str:
        """Where agents reach this process."""
        return self.settings.public_url or f"http://{self.settings.bind.rpartition(':')[0]}:{self.site.port}"

    async def start_background(self) -> None:
        """What this process's roles need, and its web site. Not the client: a playground runs that on a clock of its
        own."""
        # the name is that in the table of leases
        log.info("this process is %s and has the roles %s", self.holder, ", ".join(sorted(self.roles)))
        await self.site.start(self._web() if "http" in self.roles else build_health(self._out_of_order))
        await self.leading.begin()
        if "bot" in self.roles:
            await self._start_bot()
        if "workers" in self.roles:
            await self._start_workers()

    async def _start_bot(self) -> None:
        """Messages, and what must be heard of to answer people. The connection itself comes with `run`."""
        begin, listen = self.background.begin, self.work_db.listen
        begin(self.outbox.run(), "outbox")
        begin(listen("gk_outbox", self.outbox.wake), "listen: outbox")
        begin(listen("gk_access", self.services.identity.forget), "listen: access")

    async def _start_workers(self) -> None:
        """Ticks; those of a duty only do something where this process leads it."""
        states = self.work_db.listen("gk_states", lambda _: self.ticks.hurry("alerts.evaluate"))
        self.background.begin(states, "listen: states")
        self.background.begin(self.work_db.listen(TICKS, self._asked), "listen: ticks")
        await self.ticks.start()

    def _asked(self, tick: str) -> None:
        if tick:  # an empty one only says that something may have been missed
            self.background.begin(self.ticks.asked(tick), f"asked for {tick}")

    def _web(self) -> web.Application:
        return build_web(
            agents=Agents(self.db, self.keys),
            heartbeats=Heartbeats(self.db),
            queue=JobQueue(self.db),
            records=Records(self.db),
            artifacts=self.services.artifacts,
            inventory=ModInventory(self.db),
            trusted_proxies=self.settings.trusted_proxies,
            ready=self._out_of_order,
        )

    async def _out_of_order(self) -> str:
        """Why this process cannot do its work; empty when it can."""
        reason = await JobQueue(self.db).out_of_order()
        return reason or ("" if self.leading.is_current else "The leases of this process are not renewed.")

    async def stop_background(self) -> None:
        """Ends the site, ticks and workers; what is being sent is sent."""
        await self.stop_duties()
        self.outbox.stop()
        await self.site.stop()
        await self.background.end({"outbox"}, DRAIN_SECONDS)

    async def stop_duties(self) -> None:
        """No tick begins any more, and when the last has ended another process may have the duties."""
        await self.ticks.stop()
        await self.leading.step_down()

    async def run(self, token: str, stop: asyncio.Event) -> None:
        """The whole process until `stop` is set: serves at once, connects under leases, drains at the end."""
        await self.start_background()
        shards = Shards(self.leading, self.settings.shards, token, self.make_client)
        waiting = asyncio.create_task(stop.wait(), name="stop signal")
        connected = asyncio.create_task(shards.run(), name="discord") if "bot" in self.roles else waiting
        try:
            await asyncio.wait({connected, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stepping_down = asyncio.create_task(self.stop_duties(), name="stepping down")
            await shards.hand_over()
            await self.client.gate.drain(DRAIN_SECONDS)  # answers and messages still need the connection
            await stepping_down
            await self.stop_background()
            shards.stop()
            waiting.cancel()
            await asyncio.gather(connected, return_exceptions=True)
        if connected.done() and not connected.cancelled() and (error := connected.exception()):
            raise error

    async def close(self) -> None:
        """Gives every lease and every connection back."""
        await self.leading.end()
        await self.db.close()
        await self.work_db.close()
        await self.lease_db.close()


async def build(settings: Settings, database_url: str = "", roles: Collection[str] = tuple(ROLES)) -> App:
    """A process on a migrated database, ready to be started.

    Raises:
        AppError: the secret keys cannot be read, or are not those that the database was used with.
    """
    configured = settings.secret_keys.get_secret_value() if settings.secret_keys else ""
    keys = SecretKeys.load(settings.data_dir, configured)
    app = App(settings, database_url or settings.database_url, keys, roles)
    if await check_fingerprint(app.work_db, app.keys) == "differs":
        await app.close()
        raise Conflict(
            "The secret keys are not those that this database was used with.",
            "Bring the old secret.keys back; without them every host has to be paired again.",
        )
    return app
