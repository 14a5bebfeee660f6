from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from studies import api, pages
from studies.dicomweb import urls as dicomweb_urls
from studies.ingest import upload_api
from studies.patients import api as patients_api
from studies.patients import suggestions_api
from studies.quarantine import api as quarantine_api

_CLIP = "api/v1/studies/<str:uid>/clips/<str:sop_uid>"
_FILE = "api/v1/quarantine/<int:pk>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("upload/", pages.upload, name="upload"),
    path("patients/<int:pk>/", pages.patient, name="patient"),
    path("identity/", pages.suggestions, name="suggestions"),
    path("api/v1/upload/", upload_api.UploadView.as_view(), name="api-upload"),
    path("api/v1/studies/<str:uid>/", api.StudyView.as_view(), name="api-study"),
    path(f"{_CLIP}/frames/<int:frame>/", api.FrameView.as_view(), name="api-frame"),
    path(f"{_CLIP}/frames/<int:first>-<int:last>/", api.FramesView.as_view(), name="api-frames"),
    path(f"{_CLIP}/view/", api.ClipViewView.as_view(), name="api-clip-view"),
    path(f"{_CLIP}/thumbnail/", api.ThumbnailView.as_view(), name="api-thumbnail"),
    path("api/v1/patients/import/", patients_api.ImportView.as_view(), name="api-patients-import"),
    path("api/v1/patients/suggestions/", suggestions_api.SuggestionsView.as_view(), name="api-suggestions"),
    path("api/v1/patients/suggestions/<int:pk>/settle/", suggestions_api.SettleView.as_view(), name="api-settle"),
    path("api/v1/patients/suggestions/<int:pk>/reopen/", suggestions_api.ReopenView.as_view(), name="api-reopen"),
    path("api/v1/patients/<int:pk>/", patients_api.PatientView.as_view(), name="api-patient"),
    path("api/v1/patients/<int:pk>/merge/", patients_api.MergeView.as_view(), name="api-patient-merge"),
    path("api/v1/patients/<int:pk>/split/", patients_api.SplitView.as_view(), name="api-patient-split"),
    path("quarantine/", pages.quarantine, name="quarantine"),
    path("api/v1/quarantine/", quarantine_api.QuarantineView.as_view(), name="api-quarantine"),
    path(f"{_FILE}/", quarantine_api.QuarantinedView.as_view(), name="api-quarantined"),
    path(f"{_FILE}/download/", quarantine_api.QuarantineDownloadView.as_view(), name="api-quarantine-download"),
    path(f"{_FILE}/accept/", quarantine_api.QuarantineAcceptView.as_view(), name="api-quarantine-accept"),
    path(f"{_FILE}/discard/", quarantine_api.QuarantineDiscardView.as_view(), name="api-quarantine-discard"),
    *dicomweb_urls.urlpatterns,
]
