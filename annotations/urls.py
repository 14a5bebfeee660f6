from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from annotations import ahead, api, exchange_api, figures_api, history, pages, queue_api, schema_api, timeline, today

_STUDY = "api/v1/studies/<str:uid>/"

urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{_STUDY}reads/", api.ReadsView.as_view(), name="reads"),
    path(f"{_STUDY}reads/draft/", api.DraftView.as_view(), name="read-draft"),
    path(f"{_STUDY}reads/commit/", api.CommitView.as_view(), name="read-commit"),
    path(f"{_STUDY}reads/carry/", api.CarryView.as_view(), name="read-carry"),
    path(f"{_STUDY}reads/aside/", api.AsideView.as_view(), name="read-aside"),
    path(f"{_STUDY}reads/agreement/", api.AgreementView.as_view(), name="read-agreement"),
    path(f"{_STUDY}reads/restore/", today.RestoreView.as_view(), name="read-restore"),
    path(f"{_STUDY}reads/earlier/", today.EarlierView.as_view(), name="read-earlier"),
    path(f"{_STUDY}reads/reopen/", api.ReopenView.as_view(), name="read-reopen"),
    path(f"{_STUDY}score/", api.ScoreView.as_view(), name="score"),
    path(f"{_STUDY}ahead/", ahead.AheadView.as_view(), name="ahead"),
    path(f"{_STUDY}history/", history.HistoryView.as_view(), name="labels-history"),
    path("studies/<str:uid>/history/", history.page, name="labels-history-page"),
    path(f"{_STUDY}timeline/", timeline.TimelineView.as_view(), name="timeline"),
    path("api/v1/label-queue/", api.LabelQueueView.as_view(), name="label-queue"),
    path("api/v1/label-queue/<int:item>/skip/", api.SkipView.as_view(), name="label-queue-skip"),
    path("api/v1/queues/", queue_api.QueuesView.as_view(), name="queues"),
    path("api/v1/queues/preview/", queue_api.PreviewView.as_view(), name="queue-preview"),
    path("api/v1/queues/choices/", queue_api.ChoicesView.as_view(), name="queue-choices"),
    path("api/v1/queues/<int:queue>/", queue_api.QueueView.as_view(), name="queue"),
    path("api/v1/agreement/", figures_api.AgreementFiguresView.as_view(), name="agreement-figures"),
    path("api/v1/agreement/question/", figures_api.AgreementQuestionView.as_view(), name="agreement-question"),
    path("agreement/", figures_api.agreement_page, name="agreement"),
    path("api/v1/label-schemas/", schema_api.SchemasView.as_view(), name="label-schemas"),
    path("api/v1/label-schemas/check/", schema_api.CheckView.as_view(), name="label-schemas-check"),
    path("api/v1/label-schemas/in-force/", schema_api.InForceView.as_view(), name="label-schemas-in-force"),
    path("api/v1/label-schemas/<str:name>/", schema_api.SchemaView.as_view(), name="label-schema"),
    path("api/v1/labels/import/", exchange_api.ImportView.as_view(), name="labels-import"),
    path("api/v1/labels/export/", exchange_api.ExportView.as_view(), name="labels-export"),
    path("labels/", exchange_api.page, name="labels-page"),
    path("api/v1/labels/", api.LabelsView.as_view(), name="labels"),
    path("schema/", schema_api.page, name="label-schema-page"),
    path("label/", pages.label_home, name="label"),
    path("label/queues/", pages.queue_list, name="queue-list"),
    path("label/queues/new/", pages.queue_new, name="queue-new"),
    path("label/queues/<int:queue>/", pages.queue_page, name="queue-page"),
    path("label/<int:item>/", pages.label_item, name="label-item"),
    path("adjudicate/", pages.adjudicate, name="adjudicate"),
    path("adjudicate/<int:item>/", pages.adjudicate_item, name="adjudicate-item"),
]
