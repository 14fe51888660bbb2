#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What we give to Prometheus and Grafana is what they take, and the alerts
# come when they should.  (That the figures in them exist is daemon-metrics.t.)
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
. "$srcdir/tests/lib/tlslib.sh"
requires certtool --version
requires promtool --version
requires prometheus --version
requires nbdkit pattern --version
plan 17

rules=$srcdir/packaging/prometheus/alerts.yml
board=$srcdir/packaging/prometheus/grafana-dashboard.json
ok "Prometheus takes the rules" promtool check rules "$rules"
sed 's/increase(/incraese(/' "$rules" >"$tmp/bad.yml"
not_ok "as it would not take all" promtool check rules "$tmp/bad.yml"

# alert NAME LABELS SERIES...: at 3 days with a sample a minute, exactly that.
series()
{
	printf '      - series: %s\n        values: %s\n' "'$1'" "'$2'"
}
firing()
{
	printf '  - alertname: %s\n    eval_time: %s\n    exp_alerts:' "$1" "$2"
	[ "${3-}" ] || {
		echo ' []'
		return
	}
	printf '\n      - exp_labels: {%s}\n' "$3"
	printf '        exp_annotations: {%s}\n' "$4"
}
job='job="vm1",instance="dr1"'
cat >"$tmp/test.yml" <<END
rule_files: [ $rules ]
evaluation_interval: 1m
tests:
- interval: 1m
  input_series:
$(
	series "nbdsync_job_runs_total{$job,result=\"failed\"}" '0x60 1x4000'
	series "up{job=\"nbdsync\",instance=\"dr1\"}" '1x60 0x4000'
	series "nbdsync_job_runs_total{$job,result=\"succeeded-with-warnings\"}" \
	    '0x60 1x4000'
	series "nbdsync_hook_runs_total{$job,hook=\"post\",result=\"failed\"}" \
	    '0x60 1x4000'
	series "nbdsync_hook_runs_total{$job,hook=\"pre\",result=\"failed\"}" \
	    '0x60 1x4000'
	series "nbdsync_verify_mismatch_bytes_total{$job}" '0x60 512x4000'
	series "nbdsync_job_last_attempt_timestamp_seconds{$job}" '60x5000'
	series "nbdsync_job_last_success_timestamp_seconds{$job}" '60x5000'
	series "nbdsync_job_stalled_seconds{$job}" '0x9 301x5 0x5000'
	series "nbdsync_job_running{$job}" '1x100 0x5000'
	series "nbdsync_job_lag_seconds{$job}" '0x30 4000x100 0x5000'
	series "nbdsync_checkpoint_age_seconds{$job}" '700x60 0x5000'
	series "nbdsync_verify_repaired_bytes_total{$job}" '0x30 512x5000'
	series 'nbdsync_job_rpo_seconds{job="db",instance="dr1",level="crit"}' \
	    '7200x5000'
	series 'nbdsync_job_rpo_age_seconds{job="db",instance="dr1"}' \
	    '60+60x5000'
	series 'nbdsync_job_last_attempt_timestamp_seconds{job="db",instance="dr1"}' \
	    '60x5000'
	series 'nbdsync_job_last_success_timestamp_seconds{job="db",instance="dr1"}' \
	    '60x5000'
	series 'nbdsync_tls_certificate_expiry_timestamp_seconds{name="corp",instance="dr1"}' \
	    '1900800x5000'
	series "nbdsync_job_dirty_bytes{$job}" '4096x100 0x5000'
	series "nbdsync_config_last_reload_successful{instance=\"dr1\"}" \
	    '1x30 0x5000'
)
  alert_rule_test:
$(
	firing NbdsyncRunFailed 59m
	firing NbdsyncRunFailed 65m \
	    'severity: warning, job: vm1, instance: dr1, result: failed' \
	    'summary: "a run of vm1 has failed", action: "nbdsync status vm1"'
	firing NbdsyncRunFailed 3h
	firing NbdsyncRunIncomplete 59m
	firing NbdsyncRunIncomplete 65m \
'severity: warning, job: vm1, instance: dr1, result: succeeded-with-warnings' \
'summary: "a run of vm1 has not copied everything", action: "nbdsync status vm1"'
	firing NbdsyncRunIncomplete 3h
	firing NbdsyncHookFailed 59m
	firing NbdsyncHookFailed 65m \
'severity: warning, job: vm1, instance: dr1, hook: post, result: failed' \
	    'summary: "the hook post of vm1 has failed", action: "nbdsync log vm1"'
	firing NbdsyncHookFailed 3h
	firing NbdsyncDown 63m
	firing NbdsyncDown 70m 'severity: critical, job: nbdsync, instance: dr1' \
	    'summary: "nbdsyncd on dr1 does not answer"'
	firing NbdsyncMismatch 59m
	firing NbdsyncMismatch 65m 'severity: critical, job: vm1, instance: dr1' \
	    'summary: "source and destination of vm1 differ"'
	firing NbdsyncMismatch 3h
	firing NbdsyncNoSuccess 40h
	firing NbdsyncNoSuccess 50h 'severity: critical, job: vm1, instance: dr1' \
	    'summary: "vm1 has had no success for two days"'
	firing NbdsyncStalled 5m
	firing NbdsyncStalled 12m 'severity: warning, job: vm1, instance: dr1' \
	    'summary: "the run of vm1 does not get on"'
	firing NbdsyncNotShrinking 20m
	firing NbdsyncNotShrinking 90m \
	    'severity: warning, job: vm1, instance: dr1' \
	    'summary: "what vm1 has to do does not shrink"'
	firing NbdsyncNotShrinking 3h
	firing NbdsyncMirrorLags 35m
	firing NbdsyncMirrorLags 1h 'severity: warning, job: vm1, instance: dr1' \
	    'summary: "the mirror of vm1 is more than an hour behind"'
	firing NbdsyncMirrorLags 110m
	firing NbdsyncCheckpointOld 20m \
	    'severity: warning, job: vm1, instance: dr1' \
	    'summary: "where the run of vm1 would go on is not saved"'
	firing NbdsyncCheckpointOld 70m
	firing NbdsyncRepaired 25m
	firing NbdsyncRepaired 35m 'severity: warning, job: vm1, instance: dr1' \
	    'summary: "what differed at the destination of vm1 was repaired"'
	firing NbdsyncRpo 110m
	firing NbdsyncRpo 130m 'severity: critical, job: db, instance: dr1' \
'summary: "the last success of db is older than its rpo_crit", action: "nbdsync history db"'
	firing NbdsyncCertificateExpires 20h
	firing NbdsyncCertificateExpires 30h \
	    'severity: warning, name: corp, instance: dr1' \
	    'summary: "a certificate of tls corp expires within 21 days"'
	firing NbdsyncReloadFailed 20m
	firing NbdsyncReloadFailed 1h 'severity: warning, instance: dr1' \
'summary: "the new configuration was refused; the old one goes on", action: "nbdsync configcheck /etc/nbdsync/nbdsync.conf"'
)
END
ok "alerts come when they should, and go" promtool test rules "$tmp/test.yml"
is "each of the rules is among these" "$(sed -n 's/^ *- alert: //p' "$rules" |
    while read -r rule; do
	grep -A 3 "alertname: $rule\$" "$tmp/test.yml" | grep -q exp_labels ||
	    echo "$rule"
done)" ""
sed 's/eval_time: 65m/eval_time: 66h/' "$tmp/test.yml" >"$tmp/wrong.yml"
not_ok "and that is looked at" promtool test rules "$tmp/wrong.yml"

ok "the dashboard is JSON, with panels that ask for something" jq -e \
    '[.panels[] | [.targets[].expr] | length > 0] | length > 5 and all' "$board"
# Prometheus' own parser, of each expression.
jq -r '"groups:\n- name: a\n  rules:", (.panels[].targets[].expr |
    "  - record: a:b\n    expr: " + tojson)' "$board" >"$tmp/board.yml"
ok "in Prometheus' language" promtool check rules --lint=none "$tmp/board.yml"

make_ca "$tmp/pki"
truncate -s 1M "$tmp/copy"
conf "tls = ( { name = \"corp\"; ca = \"$tmp/pki/ca-cert.pem\"; } );
endpoints = ( { name = \"p\"; command = [ \"nbdkit\", \"pattern\", \"1M\" ]; },
  { name = \"c\"; path = \"$tmp/copy\"; } );
templates = ( { name = \"default\"; source = \"p\"; destination = \"c\";
    rpo_crit = \"1h\"; } );
jobs = ( { name = \"one\"; }, { name = \"sync\"; mode = \"sync\"; },
  { name = \"verify\"; mode = \"verify\"; },
  { name = \"mirror\"; mode = \"mirror\"; pass_interval = \"1h\"; } );
metrics = { listen = \"127.0.0.1:${port:=$(free_port)}\"; };"
start_daemon "$tmp/conf"
for job_ in one sync verify; do
	ok "a job runs in the mode of $job_" "$nbdsync" start --wait --quiet \
	    "$job_"
done
start_job mirror
wait_for '[ "$(job_field mirror .state)" = mirroring ]'
api /metrics >"$tmp/metrics"
ok "Prometheus takes the figures of the daemon" \
    sh -c "promtool check metrics <'$tmp/metrics'"
is "and has nothing to say about them" "$out$err" ""

# And it finds them, by the configuration that we tell.
cp "$rules" "$tmp/alerts.yml"
sed -e "s/localhost:9188/127.0.0.1:$port/" \
    -e 's/^scrape_configs:/global: {scrape_interval: 1s}\n&/' \
    "$srcdir/packaging/prometheus/prometheus.yml" >"$tmp/prometheus.yml"
ok "Prometheus takes the configuration" promtool check config \
    "$tmp/prometheus.yml"
web=$(free_port)
start_process prometheus prometheus --config.file="$tmp/prometheus.yml" \
    --storage.tsdb.path="$tmp/prometheus" \
    --web.listen-address="127.0.0.1:$web"
ask()
{
	curl --silent --noproxy '*' --max-time 5 --get --data-urlencode \
	    "query=$1" "http://127.0.0.1:$web/api/v1/query" |
	    jq -r '.data.result[] | .value[1]'
}
ok "asks the daemon" wait_for '[ "$(ask "up{job=\"nbdsync\"}")" = 1 ]' 60
is "and has its figures by the names of its jobs" "$(ask \
    'nbdsync_job_runs_total{job="one",result="succeeded"}')" 1
# Also by their labels: a rule about what there is not never fires.
{
	sed -n '/expr:/,/labels:/p' "$rules"
	jq -r '.panels[].targets[].expr' "$board"
} | grep -oE 'nbdsync_[a-z_]+(\{[^}]*\})?' | sort -u >"$tmp/asked"
echo 'nbdsync_job_runs_total{result="none"}' >>"$tmp/asked"
is "and all that rules and dashboard ask for, as it would not have others" \
    "$(while read -r figure; do
	[ "$(ask "count($figure)")" ] || echo "$figure"
done <"$tmp/asked")" 'nbdsync_job_runs_total{result="none"}'
ok "which is much, and by labels" sh -c "[ \$(wc -l <'$tmp/asked') -gt 20 ] &&
    grep -q '{level=\"crit\"}' '$tmp/asked'"
stop_process prometheus
stop_process daemon
