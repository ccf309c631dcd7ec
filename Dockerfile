# syntax=docker/dockerfile:1

# Of this image only npm is used: the packages bring the Node.js that the gateway runs on.
FROM node:24-trixie-slim AS packages
WORKDIR /opt/tollgate
COPY package.json package-lock.json .npmrc ./
COPY sdk/package.json sdk/
ENV npm_config_cache=/var/cache/npm
RUN --mount=type=cache,target=/var/cache/npm npm ci --omit=dev

# glibc 2.41. The native library of the HTTP server needs 2.38 or later, and musl (Alpine) cannot load it.
FROM debian:trixie-slim
RUN groupadd --system --gid 10001 tollgate \
    && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/tollgate --shell /usr/sbin/nologin tollgate \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/tollgate
WORKDIR /opt/tollgate
COPY --from=packages /opt/tollgate/node_modules node_modules/
COPY LICENSE package.json ./
COPY sdk sdk/
COPY migrations migrations/
COPY plugins plugins/
COPY core core/

# The status listener is for Prometheus and for the check below; the Admin API stays on loopback until it is told
# otherwise, because it has no access control of its own.
ENV PATH=/opt/tollgate/node_modules/.bin:$PATH \
    NODE_ENV=production \
    TOLLGATE_DATA_DIR=/var/lib/tollgate \
    TOLLGATE_STATUS_LISTEN=0.0.0.0:8100
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
VOLUME /var/lib/tollgate
EXPOSE 8000 8443 8001 8100
STOPSIGNAL SIGTERM
# For the status listener above: one at another port needs a check of its own.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:8100/status/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/opt/tollgate/core/cli.ts"]
CMD ["start"]
