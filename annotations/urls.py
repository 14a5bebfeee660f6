from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from annotations import pages
from annotations.adjudication import discussion
from annotations.api import (
    agreement,
    earlier_reads,
    exchange,
    label_history,
    label_schema,
    next_study,
    queue_admin,
    reads,
    timeline,
)
from annotations.reads import prior_reads

_STUDY = "api/v1/studies/<str:uid>/"

urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{_STUDY}reads/", reads.ReadsView.as_view(), name="reads"),
    path(f"{_STUDY}reads/draft/", reads.DraftView.as_view(), name="read-draft"),
    path(f"{_STUDY}reads/commit/", reads.CommitView.as_view(), name="read-commit"),
    path(f"{_STUDY}reads/carry/", reads.CarryView.as_view(), name="read-carry"),
    path(f"{_STUDY}reads/aside/", reads.AsideView.as_view(), name="read-aside"),
    path(f"{_STUDY}reads/agreement/", reads.AgreementView.as_view(), name="read-agreement"),
    path(f"{_STUDY}reads/restore/", earlier_reads.RestoreView.as_view(), name="read-restore"),
    path(f"{_STUDY}reads/earlier/", earlier_reads.EarlierView.as_view(), name="read-earlier"),
    path(f"{_STUDY}reads/reopen/", reads.ReopenView.as_view(), name="read-reopen"),
    path(f"{_STUDY}score/", reads.ScoreView.as_view(), name="score"),
    path(f"{_STUDY}ahead/", next_study.AheadView.as_view(), name="ahead"),
    path(f"{_STUDY}history/", label_history.HistoryView.as_view(), name="labels-history"),
    path("studies/<str:uid>/history/", label_history.page, name="labels-history-page"),
    path(f"{_STUDY}timeline/", timeline.TimelineView.as_view(), name="timeline"),
    path(f"{_STUDY}priors/<str:prior>/drawings/", prior_reads.PriorDrawingsView.as_view(), name="prior-drawings"),
    path("api/v1/label-queue/", reads.LabelQueueView.as_view(), name="label-queue"),
    path("api/v1/label-queue/<int:item>/skip/", reads.SkipView.as_view(), name="label-queue-skip"),
    path("api/v1/discussions/<int:item>/", discussion.DiscussionView.as_view(), name="discussion"),
    path("api/v1/discussions/<int:item>/unblind/", discussion.UnblindView.as_view(), name="unblind"),
    path("api/v1/queues/", queue_admin.QueuesView.as_view(), name="queues"),
    path("api/v1/queues/preview/", queue_admin.PreviewView.as_view(), name="queue-preview"),
    path("api/v1/queues/choices/", queue_admin.ChoicesView.as_view(), name="queue-choices"),
    path("api/v1/queues/<int:queue>/", queue_admin.QueueView.as_view(), name="queue"),
    path("api/v1/agreement/", agreement.AgreementFiguresView.as_view(), name="agreement-figures"),
    path("api/v1/agreement/question/", agreement.AgreementQuestionView.as_view(), name="agreement-question"),
    path("agreement/", agreement.agreement_page, name="agreement"),
    path("api/v1/label-schemas/", label_schema.SchemasView.as_view(), name="label-schemas"),
    path("api/v1/label-schemas/check/", label_schema.CheckView.as_view(), name="label-schemas-check"),
    path("api/v1/label-schemas/in-force/", label_schema.InForceView.as_view(), name="label-schemas-in-force"),
    path("api/v1/label-schemas/<str:name>/", label_schema.SchemaView.as_view(), name="label-schema"),
    path("api/v1/labels/import/", exchange.ImportView.as_view(), name="labels-import"),
    path("api/v1/labels/export/", exchange.ExportView.as_view(), name="labels-export"),
    path("labels/", exchange.page, name="labels-page"),
    path("api/v1/labels/", reads.LabelsView.as_view(), name="labels"),
    path("schema/", label_schema.page, name="label-schema-page"),
    path("label/", pages.label_home, name="label"),
    path("label/queues/", pages.queue_list, name="queue-list"),
    path("label/queues/new/", pages.queue_new, name="queue-new"),
    path("label/queues/<int:queue>/", pages.queue_page, name="queue-page"),
    path("label/<int:item>/", pages.label_item, name="label-item"),
    path("adjudicate/", pages.adjudicate, name="adjudicate"),
    path("adjudicate/<int:item>/", pages.adjudicate_item, name="adjudicate-item"),
]
