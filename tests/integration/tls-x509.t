#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# With certificates: a disk is copied, and nobody is believed wrongly.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/tlslib.sh"
requires nbdkit memory --version
requires qemu-nbd --version
requires certtool --version
requires jq --version
plan 22

pki=$tmp/pki
server=$tmp/server
make_ca "$pki"
make_cert "$pki" server 'dns_name = "good.example"' \
    'ip_address = "127.0.0.1"' tls_www_server 'expiration_days = 2'
mkdir "$server"
cp "$pki"/ca-cert.pem "$pki"/server-*.pem "$server"

make_data "$tmp/src.img" $((32 * MiB + 513)) disk
truncate -s $((32 * MiB + 513)) "$tmp/dst.img"
start_nbdkit src -r --tls=require --tls-certificates="$server" \
    file "$tmp/src.img"
start_nbdkit dst --tls=require --tls-certificates="$server" \
    file "$tmp/dst.img"
src=$(tls_uri src "$pki" good.example)
ok "a disk is copied through TLS" "$nbdsync" copy "$src" \
    "$(tls_uri dst "$pki" good.example)"
ok "and every byte of it arrived" cmp "$tmp/src.img" "$tmp/dst.img"

ok "info answers" "$nbdsync" info "$src"
like "and tells how it is protected" "$out" \
    '^TLS: +TLSv1\.3, TLS_AES_128_GCM_SHA256$'
ok "as JSON, too" "$nbdsync" info --json "$src"
is "with version and cipher" "$(echo "$out" | jq -c .tls)" \
    '{"version":"TLSv1.3","cipher":"TLS_AES_128_GCM_SHA256"}'
ok "an address is verified as one" "$nbdsync" info \
    "$(tls_uri src "$pki" 127.0.0.1)"
ok "exports are listed" "$nbdsync" list "$src"

exits 1 "another name is refused" "$nbdsync" info \
    "$(tls_uri src "$pki" other.example)"
like "with both names" "$err" "is for 'good.example', not for 'other.example'"
not_ok "without a name nothing is verified" "$nbdsync" info \
    "nbds+unix:///?socket=$tmp/src.sock&tls-certificates=$pki"
like "and that is said" "$err" tls-hostname

make_ca "$tmp/stranger"
exits 1 "another authority is refused" "$nbdsync" info \
    "$(tls_uri src "$tmp/stranger" good.example)"
like "as not trusted" "$err" 'not signed by an authority that is trusted'
exits 1 "plain text is refused by the server" "$nbdsync" info "$(uri src)"
like "which wants TLS" "$err" 'requires TLS.*nbds'

make_cert "$pki" server 'dns_name = "good.example"' tls_www_server \
    'activation_date = "2020-01-01 00:00:00"' \
    'expiration_date = "2021-01-01 00:00:00"'
mkdir "$tmp/old"
cp "$pki"/ca-cert.pem "$pki"/server-*.pem "$tmp/old"
start_nbdkit old --tls=require --tls-certificates="$tmp/old" memory 1M
exits 1 "an expired certificate is refused" "$nbdsync" info \
    "$(tls_uri old "$pki" good.example)"
like "as that" "$err" "the server's certificate has expired"

start_nbdkit strict --tls=require --tls-certificates="$server" \
    --tls-verify-peer memory 1M
strict=$(tls_uri strict "$pki" good.example)
exits 1 "a server that wants to know us refuses the unknown" \
    "$nbdsync" info "$strict"
make_cert "$pki" client tls_www_client 'expiration_days = 2'
ok "and takes our certificate" "$nbdsync" info "$strict"

# qemu rounds sizes up to whole sectors.
make_data "$tmp/qemu.img" $((8 * MiB)) qemu
truncate -s $((8 * MiB)) "$tmp/copy.img"
start_nbdkit copy --tls=require --tls-certificates="$server" \
    file "$tmp/copy.img"
start_qemu_nbd qemu -r -f raw --tls-creds=tls0 \
    --object tls-creds-x509,id=tls0,endpoint=server,dir="$server" \
    "$tmp/qemu.img"
ok "from qemu-nbd, too" "$nbdsync" copy \
    "$(tls_uri qemu "$pki" good.example)" \
    "$(tls_uri copy "$pki" good.example)"
ok "every byte arrives" cmp "$tmp/qemu.img" "$tmp/copy.img"
