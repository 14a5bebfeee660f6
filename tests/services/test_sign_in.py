"""Guessing at once, against a real PostgreSQL and two web processes."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from accounts.sign_in_throttle import PER_ACCOUNT
from tests.services.stack import Stack

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]
GUESSES = 16


def _guess(url: str) -> int:
    session, login = requests.Session(), f"{url}/accounts/login/"
    session.get(login, timeout=30)
    form = {"username": "nobody-in-parallel", "password": "x", "csrfmiddlewaretoken": session.cookies["csrftoken"]}
    return session.post(login, data=form, headers={"Referer": login}, timeout=60).status_code


def test_of_16_guesses_at_once_five_are_looked_at(site: Stack) -> None:
    with ThreadPoolExecutor(GUESSES) as crowd:
        codes = Counter(crowd.map(_guess, [site.urls[number % len(site.urls)] for number in range(GUESSES)]))
    assert codes == {200: PER_ACCOUNT, 429: GUESSES - PER_ACCOUNT}
