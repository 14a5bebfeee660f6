"""What is left after sudden deaths: short forms of `make soak`, with the same rounds and the same ledger."""

from __future__ import annotations

import pytest

from tests.faults.kills import NOTHING_WRONG, Killer
from tests.services.stack import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


def test_a_worker_killed_at_random_loses_no_job_and_makes_no_second_score(killer: Killer) -> None:
    for _ in range(4):
        killer.worker_round()
    assert killer.check() == NOTHING_WRONG
    assert killer.ledger.worker_kills == 4


def test_a_web_process_killed_while_it_receives_loses_nothing_that_it_acknowledged(killer: Killer) -> None:
    for _ in range(4):
        killer.web_round()
    assert killer.check() == NOTHING_WRONG


def test_a_job_whose_worker_dies_in_the_middle_is_run_again_and_counted(killer: Killer) -> None:
    killer.site.processes["worker"].kill()
    study = killer.send_small()
    killer.site.processes["worker"].start()
    running = "SELECT id FROM jobs_job WHERE status = 'running' AND kind = 'score'"
    (job,) = wait_until(lambda: killer.site.rows(running), seconds=60, what="a running job")[0]
    killer.site.processes["worker"].kill()
    killer.site.processes["worker"].start()
    assert killer.check() == NOTHING_WRONG
    assert killer.site.rows(f"SELECT attempts, status FROM jobs_job WHERE id = {job}") == [(2, "done")]
    assert study in killer.ledger.studies
