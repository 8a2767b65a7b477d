# Agent, bridge and enroll in one image: `docker compose build`, or `docker build --tag fleetglass .`
ARG PYTHON_IMAGE=python:3.13.16-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
COPY requirements/run.txt requirements/install.txt requirements/
# What builds stays in this stage; pip reaches into the environment that goes on, which needs none of its own.
RUN python -m venv tools \
 && tools/bin/python -m pip install --quiet --no-cache-dir --no-deps --require-hashes -r requirements/run.txt \
 && python -m venv --without-pip /opt/fleetglass \
 && tools/bin/python -m pip --python /opt/fleetglass/bin/python install --quiet --no-cache-dir --no-deps --require-hashes -r requirements/install.txt
COPY pyproject.toml README.md CHANGELOG.md LICENSE ./
COPY wire wire
COPY mqtt mqtt
COPY fleet fleet
COPY history history
COPY agent agent
COPY bridge bridge
COPY client client
COPY cli cli
COPY mosquitto mosquitto
COPY dashboard dashboard
RUN tools/bin/python -m pip wheel --quiet --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist . \
 && tools/bin/python -m pip --python /opt/fleetglass/bin/python install --quiet --no-cache-dir --no-deps --no-index dist/*.whl \
 && /opt/fleetglass/bin/fleetglass --version

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Fleetglass" \
      org.opencontainers.image.description="A whole fleet of hosts, live, through any MQTT broker" \
      org.opencontainers.image.licenses="MIT"
# The folder of the state belongs to the user, so that a volume mounted there does too.
RUN groupadd --gid 10001 fleetglass \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/fleetglass --shell /usr/sbin/nologin fleetglass \
 && install --directory --mode 0700 --owner 10001 --group 10001 /var/lib/fleetglass
COPY --from=build /opt/fleetglass /opt/fleetglass
ENV PATH=/opt/fleetglass/bin:${PATH} XDG_STATE_HOME=/var/lib
USER 10001:10001
WORKDIR /var/lib/fleetglass
STOPSIGNAL SIGTERM
ENTRYPOINT ["fleetglass"]
CMD ["--help"]
