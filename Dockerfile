# syntax=docker/dockerfile:1

FROM node:24-slim AS manifests
WORKDIR /depthwire
COPY package.json package-lock.json .npmrc ./
COPY shared/package.json shared/
COPY feeds/package.json feeds/
COPY server/package.json server/
COPY web/package.json web/

# The web app, with everything that builds it.
FROM manifests AS web
RUN npm ci --ignore-scripts
COPY tsconfig.base.json LICENSE ./
COPY shared shared
COPY web web
RUN npm run build -w web

# What the server needs at run time, and nothing else.
FROM manifests AS dependencies
# bufferutil comes with ccxt, a package for tests, but npm keeps it for ws, which works without it.
RUN npm ci --ignore-scripts --omit=dev -w server && rm -rf node_modules/bufferutil node_modules/node-gyp-build

FROM node:24-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080
WORKDIR /depthwire
COPY LICENSE NOTICE ./
COPY --from=dependencies /depthwire ./
COPY shared shared
COPY feeds feeds
COPY server server
COPY examples examples
COPY --from=web /depthwire/web/build web/build
# Stored history, where the configuration says so: history.path: /data/history.db
RUN install -d -o node -g node /data
VOLUME /data
USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/api/v1/health`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Every role: serve --role all, ingest or gateway.
ENTRYPOINT ["node", "server/bin/depthwire.js"]
CMD ["serve", "--web", "web/build"]
