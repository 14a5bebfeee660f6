from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from live.views import Events

urlpatterns: list[URLPattern | URLResolver] = [path("api/v1/events/", Events.as_view(), name="events")]
