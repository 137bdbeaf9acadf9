# The operator's image: no shell, no package manager, a numeric user, nothing written outside /tmp. `make image` builds it.
# A release names both bases by digest (SDK=...@sha256:..., BASE=...@sha256:...): a tag may be another image tomorrow.
ARG SDK=mcr.microsoft.com/dotnet/sdk:10.0
ARG BASE=mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled

# Compiled on the builder's own architecture for the image's: nothing is emulated.
FROM --platform=$BUILDPLATFORM ${SDK} AS build
ARG TARGETARCH=amd64
WORKDIR /source
COPY . .
# A package that is not the very one of the lock files ends the build here, before any code of a package runs.
RUN dotnet restore src/RagOperator.Operator --locked-mode && dotnet restore src/RagOperator.Generator --locked-mode
# Self-contained, trimmed and compiled ahead by what its project says. A lock file of its own: the projects' have no place for what only a publish needs.
RUN case "$TARGETARCH" in amd64) rid=linux-x64 ;; *) rid="linux-$TARGETARCH" ;; esac \
 && dotnet publish src/RagOperator.Operator -c Release -r "$rid" -o /app -p:DebugType=none -p:NuGetLockFilePath=/tmp/packages.lock.json -p:RestoreLockedMode=false \
 && dotnet run --project src/RagOperator.Generator -- sbom /app/RagOperator.Operator.deps.json /app/sbom.cdx.json \
 && cp LICENSE /app/

FROM ${BASE}
COPY --from=build /app /app
USER 1654:1654
EXPOSE 8080 9443
ENTRYPOINT ["/app/RagOperator.Operator"]
