"""Use cases: one module per noun, one public method = one transaction."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.services.access_bindings import AccessBindings
from bot.services.access_clearing import AccessClearing
from bot.services.access_members import AccessMembers
from bot.services.access_roles import AccessRoles
from bot.services.access_sight import AccessSight
from bot.services.alerts import Alerts
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
from bot.services.fleet import Fleet
from bot.services.fleet_tags import FleetTags
from bot.services.holds import Holds
from bot.services.hosts import Hosts
from bot.services.identity import Identity
from bot.services.incidents import Incidents
from bot.services.jobs import Jobs
from bot.services.log_search import LogSearch
from bot.services.macros import Macros
from bot.services.macros_adding import MacroAdding
from bot.services.maintenance import Maintenance
from bot.services.mods import Mods
from bot.services.panels import Panels
from bot.services.players import Players
from bot.services.power import Power
from bot.services.privacy import Privacy
from bot.services.schedules import Schedules
from bot.services.schedules_adding import ScheduleAdding
from bot.services.schedules_authors import ScheduleAuthors
from bot.services.schedules_editing import ScheduleEditing
from bot.services.schedules_running import ScheduleRunning
from bot.services.schedules_showing import ScheduleShowing
from bot.services.servers import Servers
from bot.services.setup import Setup
from bot.services.setup_check import SetupCheck
from bot.services.setup_mending import SetupMending
from bot.services.setup_wizard import Wizard
from bot.services.state import State


@dataclass(frozen=True)
class Services:
    """What commands and messages are given; built once by `bot.app`."""

    access_bindings: AccessBindings
    access_clearing: AccessClearing
    access_members: AccessMembers
    access_roles: AccessRoles
    access_sight: AccessSight
    artifacts: Artifacts
    alerts: Alerts
    audit: Audit
    audit_export: AuditExport
    audit_verify: AuditVerify
    backups: Backups
    bans: Bans
    ban_adding: BanAdding
    ban_lifting: BanLifting
    batches: Batches
    batch_starting: BatchStarting
    cards: Cards
    channels: Channels
    config: Config
    confirmations: Confirmations
    consoles: Consoles
    fleet: Fleet
    fleet_tags: FleetTags
    holds: Holds
    hosts: Hosts
    identity: Identity
    incidents: Incidents
    jobs: Jobs
    log_search: LogSearch
    maintenance: Maintenance
    macros: Macros
    macro_adding: MacroAdding
    mods: Mods
    panels: Panels
    players: Players
    power: Power
    privacy: Privacy
    schedules: Schedules
    schedule_adding: ScheduleAdding
    schedule_authors: ScheduleAuthors
    schedule_editing: ScheduleEditing
    schedule_running: ScheduleRunning
    schedule_showing: ScheduleShowing
    servers: Servers
    setup: Setup
    setup_check: SetupCheck
    setup_mending: SetupMending
    state: State
    wizard: Wizard
    public_url: Callable[[], str]
    """Where agents reach this process, for the pairing command."""
