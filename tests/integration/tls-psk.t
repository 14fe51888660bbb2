#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# With a pre-shared key: who knows it, and nobody else.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/tlslib.sh"
requires nbdkit memory --version
requires certtool --version
requires psktool --version
plan 13

psktool -u alice -p "$tmp/keys.psk" >/dev/null || bail "psktool"
psktool -u alice -p "$tmp/wrong.psk" >/dev/null || bail "psktool"
psktool -u mallory -p "$tmp/wrong.psk" >/dev/null || bail "psktool"

make_data "$tmp/src.img" $((8 * MiB)) disk
truncate -s $((8 * MiB)) "$tmp/dst.img"
start_nbdkit src -r --tls=require --tls-psk="$tmp/keys.psk" \
    file "$tmp/src.img"
start_nbdkit dst --tls=require --tls-psk="$tmp/keys.psk" \
    file "$tmp/dst.img"
ok "a disk is copied" "$nbdsync" copy "$(psk_uri src "$tmp/keys.psk" alice)" \
    "$(psk_uri dst "$tmp/keys.psk" alice)"
ok "and every byte of it arrived" cmp "$tmp/src.img" "$tmp/dst.img"
ok "info answers" "$nbdsync" info "$(psk_uri src "$tmp/keys.psk" alice)"
like "with a fast cipher" "$out" '^TLS: +TLSv1\.3, TLS_AES_128_GCM_SHA256$'

exits 1 "a wrong key is refused" \
    "$nbdsync" info "$(psk_uri src "$tmp/wrong.psk" alice)"
like "as a matter of TLS" "$err" 'TLS'
exits 1 "a user that the server does not know is refused" \
    "$nbdsync" info "$(psk_uri src "$tmp/wrong.psk" mallory)"
not_ok "a user without a key fails" \
    "$nbdsync" info "$(psk_uri src "$tmp/keys.psk" carol)"
like "before anything is sent" "$err" "no key for user 'carol'"
not_ok "a directory holds no keys" \
    "$nbdsync" info "$(psk_uri src "$tmp" alice)"
like "which is the reason that is told" "$err" \
    "cannot read the keys '$tmp': Is a directory"

make_ca "$tmp/pki"
make_cert "$tmp/pki" server tls_www_server 'expiration_days = 2'
start_nbdkit x509 --tls=require --tls-certificates="$tmp/pki" memory 1M
exits 1 "a certificate is no substitute for the key" \
    "$nbdsync" info "$(psk_uri x509 "$tmp/keys.psk" alice)"
unlike "and no data are shown" "$out" size
