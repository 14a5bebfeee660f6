from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from training import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("training/", views.training_page, name="training"),
    path("training/<int:pk>/", views.run_page, name="training-run"),
    path("metrics/", views.metrics_page, name="metrics"),
    path("api/v1/training-runs/", views.Runs.as_view(), name="runs"),
    path("api/v1/training-runs/preflight/", views.PreflightView.as_view(), name="preflight"),
    path("api/v1/training-runs/<int:pk>/", views.Run.as_view(), name="run"),
    path("api/v1/training-runs/<int:pk>/cancel/", views.CancelRun.as_view(), name="cancel-run"),
    path("api/v1/metrics/", views.Metrics.as_view(), name="metrics-figures"),
]
