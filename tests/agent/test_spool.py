"""What the spool remembers, and what a damaged one does."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from agent import wire
from agent.run import tail
from agent.spool import Spool


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    spool = Spool(tmp_path)
    spool.open()
    return spool


def job() -> wire.ClaimedJob:
    return wire.ClaimedJob(
        id=uuid4(),
        run_id=uuid4(),
        number=340,
        timeout_sec=60,
        attempt=1,
        claim_token=uuid4(),
        lease_expires_at=datetime.now(UTC),
        server_id=uuid4(),
        params=wire.ServerStart(),
    )


def result(claim: wire.ClaimedJob) -> wire.Result:
    return wire.Result(claim_token=claim.claim_token, outcome="success", output="done")


def test_a_run_is_remembered_from_its_beginning_to_its_acknowledgement(spool: Spool, tmp_path: Path) -> None:
    run = job()
    assert not spool.knows(run.run_id)
    spool.begin(run)
    assert [marker.run_id for marker in Spool(tmp_path).interrupted()] == [run.run_id]
    spool.end(run.run_id, result(run))
    assert Spool(tmp_path).interrupted() == []
    assert Spool(tmp_path).pending() == [(run.run_id, result(run))]
    spool.acknowledge(run.run_id)
    assert Spool(tmp_path).pending() == []
    assert Spool(tmp_path).knows(run.run_id)
    assert Spool(tmp_path).result(run.run_id) == result(run)


def test_the_oldest_result_goes_first(spool: Spool) -> None:
    runs = [job() for _ in range(5)]
    for age, run in enumerate(runs):
        spool.end(run.run_id, result(run))
        os.utime(spool.directory / f"{run.run_id}.result", (age, age))
    assert [run_id for run_id, _ in spool.pending()] == [run.run_id for run in runs]


def test_a_damaged_result_is_an_unknown_one(spool: Spool) -> None:
    run = job()
    spool.begin(run)
    spool.end(run.run_id, result(run))
    (spool.directory / f"{run.run_id}.result").write_text('{"claimTok')
    assert spool.pending() == []
    assert [marker.run_id for marker in spool.interrupted()] == [run.run_id]


def test_bytes_that_are_no_text_are_a_damaged_file(spool: Spool) -> None:
    begun, ended = job(), job()
    for run in (begun, ended):
        spool.begin(run)
    (spool.directory / f"{begun.run_id}.started").write_bytes(b"\xff\xfe\0")
    (spool.directory / f"{ended.run_id}.result").write_bytes(b"\xff\xfe\0")
    assert spool.pending() == []
    assert [marker.run_id for marker in spool.interrupted()] == [ended.run_id]
    assert spool.knows(begun.run_id)


def test_what_somebody_else_put_there_is_left_alone(spool: Spool) -> None:
    run = job()
    spool.end(run.run_id, result(run))
    (spool.directory / "notes.result").write_text(result(run).model_dump_json(by_alias=True))
    (spool.directory / "folder.result").mkdir()
    assert [run_id for run_id, _ in spool.pending()] == [run.run_id]
    spool.prune(keep=-1)
    assert (spool.directory / "folder.result").is_dir()


def test_a_damaged_marker_still_stops_a_second_run(spool: Spool) -> None:
    run = job()
    spool.begin(run)
    (spool.directory / f"{run.run_id}.started").write_text("")
    assert spool.interrupted() == []
    assert spool.knows(run.run_id)


def test_a_result_that_the_disk_refuses_lives_in_memory(spool: Spool) -> None:
    run = job()
    spool.begin(run)
    moved = spool.directory.rename(spool.directory.with_name("elsewhere"))
    spool.directory.write_text("in the way")
    spool.end(run.run_id, result(run))
    spool.directory.unlink()
    moved.rename(spool.directory)
    assert spool.pending() == [(run.run_id, result(run))]
    spool.acknowledge(run.run_id)
    assert spool.pending() == []
    assert spool.knows(run.run_id)


def test_old_runs_are_forgotten(spool: Spool) -> None:
    old, new, unsent = job(), job(), job()
    for run in (old, new, unsent):
        spool.end(run.run_id, result(run))
    spool.acknowledge(old.run_id)
    spool.acknowledge(new.run_id)
    week_ago = time.time() - 8 * 86400
    os.utime(spool.directory / f"{old.run_id}.sent", (week_ago, week_ago))
    os.utime(spool.directory / f"{unsent.run_id}.result", (week_ago, week_ago))
    spool.prune()
    assert not spool.knows(old.run_id)
    assert spool.knows(new.run_id)
    assert [run_id for run_id, _ in spool.pending()] == [unsent.run_id]


def test_the_end_of_a_long_output_is_kept() -> None:
    text = "ä" * wire.OUTPUT_MAX + "\0the end"
    kept = tail(text)
    assert len(kept.encode()) <= wire.OUTPUT_MAX
    assert kept.endswith("ääthe end")
    assert tail("short") == "short"
