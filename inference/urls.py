from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from inference import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/models/", views.Models.as_view(), name="models"),
    path("api/v1/models/<int:pk>/promote/", views.Promote.as_view(), name="promote-model"),
]
