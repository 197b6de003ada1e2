# FlexMeasures' own image with this plugin installed:
#   docker build -t flexmeasures-with-boilers .
# It reads what FlexMeasures' image reads (environment, or a mounted .flexmeasures.cfg), and starts what that starts.
FROM lfenergy/flexmeasures

# what the package is built of (.dockerignore keeps all else out)
COPY setup.cfg pyproject.toml README.md LICENSE .flexmeasures.cfg.example /tmp/smart-boiler-plugin/
COPY smart_boiler_plugin/ /tmp/smart-boiler-plugin/smart_boiler_plugin
# the image's virtual environment may have no pip
RUN (python -m pip --version || python -m ensurepip) && \
    python -m pip install --no-cache-dir /tmp/smart-boiler-plugin && \
    rm -r /tmp/smart-boiler-plugin

ENV FLEXMEASURES_PLUGINS="smart_boiler_plugin"
