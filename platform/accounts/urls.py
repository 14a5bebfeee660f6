from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from accounts import health, keymap, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/login/", views.SignIn.as_view(), name="login"),
    path("accounts/logout/", views.SignOut.as_view(), name="logout"),
    path("api/v1/me/keys/", keymap.KeymapView.as_view(), name="api-keys"),
    path("audit/", views.audit_page, name="audit"),
    path("audit/export/", views.audit_export, name="audit-export"),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
]
