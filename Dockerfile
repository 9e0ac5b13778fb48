# Khách Quen in a container: the locked dependencies with their hashes, the source, a user without rights, one volume.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements.lock /tmp/requirements.lock
RUN /venv/bin/pip install --require-hashes --only-binary :all: -r /tmp/requirements.lock \
    && /venv/bin/pip uninstall --yes --quiet setuptools pip
COPY main.py LICENSE /app/
COPY bot /app/bot
COPY crm /app/crm
COPY handlers /app/handlers
COPY message_templates /app/message_templates
COPY simulator /app/simulator
COPY storage /app/storage
COPY web /app/web
RUN printf '#!/venv/bin/python\nimport sys\n\nfrom main import main\n\nsys.exit(main())\n' > /venv/bin/khachquen \
    && chmod 755 /venv/bin/khachquen \
    && /venv/bin/python -m compileall -q /app

FROM python:3.11.14-slim-bookworm
RUN groupadd --gid 10001 khachquen \
    && useradd --uid 10001 --gid khachquen --home-dir /data --no-create-home --shell /usr/sbin/nologin khachquen \
    && install --directory --owner khachquen --group khachquen --mode 700 /data
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
ENV HOST=0.0.0.0 PORT=8080 DATABASE_URL=sqlite:////data/khachquen.db DATA_DIR=/data
WORKDIR /data
USER khachquen
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["khachquen"]
CMD ["serve"]
