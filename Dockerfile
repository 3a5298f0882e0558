# syntax=docker/dockerfile:1

# Everything, to build with and to run Prisma's commands.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npx prisma generate && npx tsc -p tsconfig.build.json && npx vite build src/ops/page

# Applies the migrations to DATABASE_URL and ends. Its login must own the tables.
FROM build AS migrate
ENV CHECKPOINT_DISABLE=1
CMD ["npx", "prisma", "migrate", "deploy"]

# The service: no build tools, no embedded PostgreSQL. Prisma's client names its commands and the compiler as optional peers,
# and GraphiQL a server: npm installs these too where they are not omitted, 408 MiB instead of 148.
FROM node:24-bookworm-slim AS service
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --omit=peer --no-audit --no-fund && npm cache clean --force
COPY --from=build /app/dist/src ./dist/src
COPY --from=build /app/dist/scripts ./dist/scripts
COPY --from=build /app/dist/ops-page ./dist/ops-page
# Their names only: the service refuses a database that lacks one.
COPY prisma/migrations ./prisma/migrations
USER node
EXPOSE 4000
# Liveness: a container that waits for its database, or is being stopped, is not to be replaced. Readiness is for the balancer.
HEALTHCHECK --interval=10s --timeout=3s --start-period=90s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 4000}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/main.js"]
