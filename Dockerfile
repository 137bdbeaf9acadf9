# The operator's image: no shell, no package manager, a numeric user, nothing written outside /tmp. `make image` builds it.
ARG SDK=mcr.microsoft.com/dotnet/sdk:10.0
ARG BASE=mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled

FROM ${SDK} AS build
WORKDIR /source
COPY . .
# Self-contained, trimmed and compiled ahead by what its project says. A lock file of its own: the projects' have no place for what only a publish needs.
RUN dotnet publish src/RagOperator.Operator -c Release -r linux-x64 -o /app -p:DebugType=none -p:NuGetLockFilePath=/tmp/packages.lock.json -p:RestoreLockedMode=false \
 && dotnet run --project src/RagOperator.Generator -- sbom /app/RagOperator.Operator.deps.json /app/sbom.cdx.json

FROM ${BASE}
COPY --from=build /app /app
USER 1654:1654
EXPOSE 8080 9443
ENTRYPOINT ["/app/RagOperator.Operator"]
