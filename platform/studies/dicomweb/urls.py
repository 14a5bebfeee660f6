"""Addresses below /dicom-web/, named as PS3.18 names them."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from studies.dicomweb import search_api
from studies.ingest import stow_api

_STUDY = "dicom-web/studies/<str:study>"
_SERIES = f"{_STUDY}/series/<str:series>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("dicom-web/studies", search_api.StudiesView.as_view(), name="dicom-studies"),
    path("dicom-web/series", search_api.SeriesView.as_view(), name="dicom-all-series"),
    path("dicom-web/instances", search_api.InstancesView.as_view(), name="dicom-all-instances"),
    path(_STUDY, stow_api.StowView.as_view(), name="dicom-study"),
    path(f"{_STUDY}/series", search_api.SeriesView.as_view(), name="dicom-series-of-study"),
    path(f"{_STUDY}/instances", search_api.InstancesView.as_view(), name="dicom-instances-of-study"),
    path(f"{_SERIES}/instances", search_api.InstancesView.as_view(), name="dicom-instances-of-series"),
]
