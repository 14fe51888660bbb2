#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# TLS by the library's own settings, beside a URI or without one.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/tlslib.sh"
requires nbdkit memory --version
requires certtool --version
requires psktool --version
requires openssl version
client=$builddir/tests/lib/tls-client
[ -x "$client" ] || {
	echo "1..0 # SKIP tests/lib/tls-client was not built"
	exit 0
}
plan 40

# The codes of nbdclient.h, made positive.
INVALID=3
TLS=16

pki=$tmp/pki
server=$tmp/server
make_ca "$pki"
make_cert "$pki" server 'dns_name = "good.example"' tls_www_server \
    'expiration_days = 2'
mkdir "$server"
cp "$pki"/ca-cert.pem "$pki"/server-*.pem "$server"
make_cert "$pki" client tls_www_client 'expiration_days = 2'

# As the manual says it is made.
pin_of()
{
	openssl x509 -in "$1" -noout -pubkey |
	    openssl pkey -pubin -outform DER |
	    openssl dgst -sha256 -binary | base64
}

pin=$(pin_of "$pki/server-cert.pem")
other_pin=$(pin_of "$pki/client-cert.pem")
ca="ca_file=$pki/ca-cert.pem"

start_nbdkit one --tls=require --tls-certificates="$server" memory 1M
one="nbd+unix:///?socket=$tmp/one.sock"
good='^TLSv1\.3 TLS_AES_128_GCM_SHA256 1048576$'

ok "settings make a plain URI one with TLS" "$client" "$one" "$ca" \
    hostname=good.example
like "and TLS is used" "$out" "$good"
exits $TLS "they are not believed more than a URI" "$client" "$one" "$ca" \
    hostname=other.example
like "and the server is called by its scheme with TLS" "$err" \
    '^tls-client: nbds\+unix:.*not for .other\.example.$'
ok "they stand beside the keys of a URI" "$client" \
    "nbds+unix:///?socket=$tmp/one.sock&tls-certificates=$pki" \
    hostname=good.example
ok "and come before them" "$client" \
    "nbds+unix:///?socket=$tmp/one.sock&tls-hostname=wrong" "$ca" \
    hostname=good.example
ok "a descriptor takes them" "$client" "socket:$tmp/one.sock" "$ca" \
    hostname=good.example
like "and is TLS's" "$out" "$good"
ok "so does a server that is started" "$client" command "$ca" \
    hostname=good.example -- nbdkit --tls=require \
    --tls-certificates="$server" memory 1M
like "and is TLS's" "$out" "$good"
exits $TLS "a server without TLS is refused" "$client" command "$ca" \
    hostname=good.example -- nbdkit memory 1M
like "as that" "$err" 'TLS is required, and the server refuses it'

mkdir "$tmp/dir"
cp "$pki/ca-cert.pem" "$tmp/dir"
openssl rehash "$tmp/dir" || bail "openssl rehash"
ok "authorities may lie in a directory" "$client" "$one" \
    ca_dir="$tmp/dir" hostname=good.example
exits $TLS "without any, the system's count" "$client" "$one" \
    hostname=good.example
exits $INVALID "a name is wanted where there is no host" "$client" "$one" \
    "$ca"

# Pins
ok "the pinned key is taken" "$client" "$one" "$ca" hostname=good.example \
    pin_sha256="$pin"
exits $TLS "another one is not" "$client" "$one" "$ca" \
    hostname=good.example pin_sha256="$other_pin"
like "and that is said" "$err" 'has another key than the pinned one'
is "with the pin there is" "${err##*: its pin is }" "'$pin'"
exits $TLS "the pin does not stand for the name" "$client" "$one" "$ca" \
    hostname=other.example pin_sha256="$pin"
ok "it stands alone where nothing is verified" "$client" "$one" no_verify \
    pin_sha256="$pin"
like "through TLS" "$out" "$good"
exits $TLS "and still decides" "$client" "$one" no_verify \
    pin_sha256="$other_pin"
exits $INVALID "what is no pin is told" "$client" "$one" no_verify \
    pin_sha256=0123
like "as that" "$err" "the pin '0123' is not the SHA-256 of a public key"

# Our own certificate, its key encrypted
start_nbdkit strict --tls=require --tls-certificates="$server" \
    --tls-verify-peer memory 1M
openssl pkey -in "$pki/client-key.pem" -aes256 -passout pass:secret \
    -out "$tmp/key.pem" || bail "openssl pkey"

strict()
{
	"$client" "nbd+unix:///?socket=$tmp/strict.sock" "$ca" \
	    hostname=good.example "$@"
}

exits $TLS "a server that wants to know us refuses the unknown" strict
like "which is said" "$err" 'it may want a certificate of us'
ok "our certificate is shown" strict cert_file="$pki/client-cert.pem" \
    key_file="$pki/client-key.pem"
ok "an encrypted key is opened" strict cert_file="$pki/client-cert.pem" \
    key_file="$tmp/key.pem" key_password=secret
exits $INVALID "by the right password alone" strict \
    cert_file="$pki/client-cert.pem" key_file="$tmp/key.pem" \
    key_password=wrong
like "which is said" "$err" \
    "the password does not open the client key '$tmp/key.pem'$"
unlike "without the password" "$err" wrong
exits $INVALID "and not without one" strict \
    cert_file="$pki/client-cert.pem" key_file="$tmp/key.pem"
like "which is said, too" "$err" \
    "the client key '$tmp/key.pem' is encrypted, and there is no password"

# Pre-shared keys
psktool -u alice -p "$tmp/keys.psk" >/dev/null || bail "psktool"
psktool -u alice -p "$tmp/wrong.psk" >/dev/null || bail "psktool"
start_nbdkit psk --tls=require --tls-psk="$tmp/keys.psk" memory 1M
psk="nbd+unix:///?socket=$tmp/psk.sock"
ok "a pre-shared key does instead of certificates" "$client" "$psk" \
    psk_file="$tmp/keys.psk" psk_user=alice
like "through TLS" "$out" "$good"
exits $TLS "a wrong one does not" "$client" "$psk" \
    psk_file="$tmp/wrong.psk" psk_user=alice
exits $INVALID "both is too much" "$client" "$psk" "$ca" \
    psk_file="$tmp/keys.psk" psk_user=alice
like "which is said" "$err" 'exclude each other'

# Revocation
certtool --generate-crl --load-ca-certificate "$pki/ca-cert.pem" \
    --load-ca-privkey "$pki/ca-key.pem" \
    --load-certificate "$pki/server-cert.pem" --outfile "$tmp/crl.pem" \
    --template /dev/stdin >"$tmp/certtool.log" 2>&1 <<-'END' || bail "no CRL"
	crl_next_update = 2
	crl_number = 1
END
exits $TLS "a revoked certificate is refused" "$client" "$one" "$ca" \
    hostname=good.example crl_file="$tmp/crl.pem"
