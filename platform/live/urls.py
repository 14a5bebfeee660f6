from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from live.views import EventsView

urlpatterns: list[URLPattern | URLResolver] = [path("api/v1/events/", EventsView.as_view(), name="events")]
