# Two images from one file: `web` without torch, `worker` with it. Nothing secret is built in; settings come at run time.
#   docker build --target web -t fontanelle-web .
#   docker build --target worker -t fontanelle-worker .

FROM node:24-bookworm-slim AS frontend
WORKDIR /app/frontend
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
COPY frontend/contract ./contract
RUN npm ci --no-audit --no-fund
COPY frontend ./
RUN npm run build

FROM python:3.11-slim-bookworm AS base
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PYTHONPATH=/app/platform:/app \
    DJANGO_SETTINGS_MODULE=config.settings FONTANELLE_VAR=/var/lib/fontanelle
RUN useradd --system --uid 10001 --home-dir /var/lib/fontanelle --create-home fontanelle
WORKDIR /app

FROM base AS source
COPY manage.py LICENSE ./
COPY platform platform
COPY annotations annotations
COPY inference inference
COPY training training
COPY frontend/templates frontend/templates
COPY --from=frontend /app/frontend/dist frontend/dist

FROM base AS web
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY --from=source /app /app
USER fontanelle
VOLUME /var/lib/fontanelle
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen(urllib.request.Request('http://127.0.0.1:8000/healthz', headers={'Host': 'localhost', 'X-Forwarded-Proto': 'https'}), timeout=2)"]
CMD ["uvicorn", "config.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--lifespan", "off", \
     "--http", "config.slow_clients:ImpatientProtocol", \
     "--no-access-log", "--no-proxy-headers", "--timeout-graceful-shutdown", "10", "--ws-max-size", "65536"]

FROM base AS worker
COPY requirements-worker.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements-worker.txt
COPY --from=source /app /app
USER fontanelle
VOLUME /var/lib/fontanelle
CMD ["celery", "-A", "config", "worker", "-Q", "stat,routine", "--pool", "solo", "-n", "triage@%h"]
