"""Every address of the site; each room brings its own."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView

from config import readiness

readiness.register()

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("live.urls")),
    path("", include("studies.urls")),
    path("", include("inference.urls")),
    path("", include("annotations.urls")),
    path("", include("worklist.urls")),
    path("", include("training.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("admin/", admin.site.urls),
    # Pages that are not ours, Django's admin among them, name no icon, and a browser asks for this one.
    path("favicon.ico", RedirectView.as_view(url="/static/favicon.svg", permanent=True)),
]

handler400 = "config.error_pages.bad_request"
handler404 = "config.error_pages.not_found"
handler403 = "config.error_pages.forbidden"
handler500 = "config.error_pages.server_error"
