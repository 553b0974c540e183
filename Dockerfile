# One image for every part of Skyrun; the command says which one runs, e.g.
#   docker run skyrun node services/registry/main.ts
# Node runs the TypeScript directly, so only the UI is built.
FROM node:26-bookworm-slim AS build
WORKDIR /skyrun
COPY package.json package-lock.json ./
COPY shared/contracts/package.json shared/contracts/
COPY shared/kit/package.json shared/kit/
COPY shared/postgres/package.json shared/postgres/
COPY shared/bus/package.json shared/bus/
COPY services/identity/package.json services/identity/
COPY services/registry/package.json services/registry/
COPY services/orchestrator/package.json services/orchestrator/
COPY services/events/package.json services/events/
COPY gateway/package.json gateway/
COPY billing/package.json billing/
COPY workload/package.json workload/
COPY client/package.json client/
COPY ui/package.json ui/
COPY cli/package.json cli/
COPY launcher/package.json launcher/
COPY testing/package.json testing/
COPY observability/package.json observability/
RUN npm ci --omit=optional --ignore-scripts
COPY . .
RUN npm run build --workspace ui && npm prune --omit=dev --omit=optional --ignore-scripts

FROM node:26-bookworm-slim
WORKDIR /skyrun
ENV NODE_ENV=production
COPY --from=build /skyrun /skyrun
# 1000 is `node` in the base image. The orchestrator alone needs the engine's socket; compose gives it the group.
USER 1000
EXPOSE 8080
CMD ["node", "--import", "./observability/register.ts", "services/registry/main.ts"]
