from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from worklist import api, pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.home, name="worklist"),
    path("studies/<str:uid>/", pages.study, name="study"),
    path("api/v1/worklist/", api.WorklistView.as_view(), name="worklist-api"),
    path("api/v1/studies/<str:uid>/claim/", api.ClaimView.as_view(), name="claim"),
]
