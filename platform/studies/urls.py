from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from studies import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/studies/<str:uid>/", api.StudyView.as_view(), name="api-study"),
    path("api/v1/studies/<str:uid>/clips/<str:sop_uid>/frames/<int:frame>/", api.FrameView.as_view(), name="api-frame"),
    path("api/v1/studies/<str:uid>/clips/<str:sop_uid>/thumbnail/", api.ThumbnailView.as_view(), name="api-thumbnail"),
]
