# The gateway's image: production dependencies only, a user without rights, nothing writable but /data.
# `docker compose up` builds it; docs/operations/compose.md says how it is run.

FROM python:3.13.16-slim-bookworm AS builder
WORKDIR /src
RUN python -m venv /opt/build && python -m venv /opt/countersign
# The locks first, so that a change of code does not fetch the dependencies again.
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN /opt/build/bin/python -m pip install --no-cache-dir --require-hashes -r requirements/build.txt \
 && /opt/countersign/bin/python -m pip install --no-cache-dir --require-hashes -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY policies policies
COPY gateway gateway
RUN /opt/build/bin/python -m hatchling build --target wheel --directory /dist \
 && /opt/countersign/bin/python -m pip install --no-cache-dir --no-deps --no-index /dist/*.whl \
 && /opt/countersign/bin/python -m compileall -q /opt/countersign/lib \
 && /opt/countersign/bin/python -m pip uninstall --yes --quiet pip

FROM python:3.13.16-slim-bookworm
LABEL org.opencontainers.image.title="countersign" \
      org.opencontainers.image.description="A policy gateway between MCP clients and PayPal" \
      org.opencontainers.image.licenses="Apache-2.0"
# A number, not a name: Kubernetes' runAsNonRoot can only check numbers.
RUN groupadd --gid 10001 countersign \
 && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin countersign \
 && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=builder /opt/countersign /opt/countersign
ENV PATH=/opt/countersign/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    COUNTERSIGN_LISTEN=0.0.0.0:3000
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:3000/healthz', timeout=2)"]
ENTRYPOINT ["countersign"]
CMD ["serve"]
