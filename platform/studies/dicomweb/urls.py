"""Addresses below /dicom-web/, named as PS3.18 names them."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from studies.dicomweb import retrieve_api, search_api

_STUDY = "dicom-web/studies/<str:study>"
_SERIES = f"{_STUDY}/series/<str:series>"
_INSTANCE = f"{_SERIES}/instances/<str:instance>"
_FRAMES = f"{_INSTANCE}/frames/<str:frames>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("dicom-web/studies", search_api.StudiesView.as_view(), name="dicom-studies"),
    path("dicom-web/series", search_api.SeriesView.as_view(), name="dicom-all-series"),
    path("dicom-web/instances", search_api.InstancesView.as_view(), name="dicom-all-instances"),
    path(_STUDY, retrieve_api.StudyView.as_view(), name="dicom-study"),
    path(f"{_STUDY}/series", search_api.SeriesView.as_view(), name="dicom-series-of-study"),
    path(f"{_STUDY}/instances", search_api.InstancesView.as_view(), name="dicom-instances-of-study"),
    path(_SERIES, retrieve_api.OneSeriesView.as_view(), name="dicom-series"),
    path(f"{_SERIES}/instances", search_api.InstancesView.as_view(), name="dicom-instances-of-series"),
    path(_INSTANCE, retrieve_api.InstanceView.as_view(), name="dicom-instance"),
    path(f"{_INSTANCE}/bulkdata/<path:steps>", retrieve_api.BulkDataView.as_view(), name="dicom-bulk-data"),
    path(_FRAMES, retrieve_api.FramesView.as_view(), name="dicom-frames"),
    *(
        path(f"{each}/metadata", retrieve_api.MetadataView.as_view(), name=f"dicom-metadata-{level}")
        for level, each in (("study", _STUDY), ("series", _SERIES), ("instance", _INSTANCE))
    ),
    *(
        path(f"{each}/{name}", view.as_view(), name=f"dicom-{name}-{level}")
        for name, view in (("rendered", retrieve_api.RenderedView), ("thumbnail", retrieve_api.ThumbnailView))
        for level, each in (("study", _STUDY), ("series", _SERIES), ("instance", _INSTANCE), ("frames", _FRAMES))
    ),
]
