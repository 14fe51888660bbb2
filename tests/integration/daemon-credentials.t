#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Keys that the service manager has put into a directory (LoadCredential=) are
# found by their names, and used.
. "$srcdir/tests/lib/testlib.sh"
. "$srcdir/tests/lib/daemonlib.sh"
. "$srcdir/tests/lib/tlslib.sh"
requires nbdkit file --version
requires certtool --version
requires psktool --version
plan 8

make_pki "$tmp/pki"
make_psk "$tmp/psk" alice
make_data "$tmp/disk" $MiB 7
truncate -s $MiB "$tmp/x509.img" "$tmp/psk.img"
start_nbdkit x509 --tls=require --tls-certificates="$tmp/pki" \
    --tls-verify-peer file "$tmp/x509.img"
start_nbdkit psk --tls=require --tls-psk="$tmp/psk/keys.psk" \
    file "$tmp/psk.img"

# As systemd makes it: for the daemon to read, and nobody else.
CREDENTIALS_DIRECTORY=$tmp/credentials
export CREDENTIALS_DIRECTORY
mkdir -m 700 "$CREDENTIALS_DIRECTORY"
mv "$tmp/pki/client-key.pem" "$CREDENTIALS_DIRECTORY/tls-key"
cp "$tmp/psk/keys.psk" "$CREDENTIALS_DIRECTORY/psk"
chmod 400 "$CREDENTIALS_DIRECTORY"/*

conf "tls = (
  { name = \"corp\"; ca = \"$tmp/pki/ca-cert.pem\"; hostname = \"good.example\";
    cert = \"$tmp/pki/client-cert.pem\"; key = \"credential:tls-key\"; },
  { name = \"site\"; psk_user = \"alice\"; psk_file = \"credential:psk\"; },
  { name = \"none\"; psk_user = \"alice\"; psk_file = \"credential:missing\"; } );
endpoints = ( { name = \"disk\"; path = \"$tmp/disk\"; },
  { name = \"x509\"; uri = \"nbds+unix:///?socket=$tmp/x509.sock\";
    tls = \"corp\"; },
  { name = \"psk\"; uri = \"nbds+unix:///?socket=$tmp/psk.sock\";
    tls = \"site\"; },
  { name = \"none\"; uri = \"nbds+unix:///?socket=$tmp/psk.sock\";
    tls = \"none\"; } );
jobs = ( { name = \"x509\"; source = \"disk\"; destination = \"x509\"; },
  { name = \"psk\"; source = \"disk\"; destination = \"psk\"; },
  { name = \"none\"; source = \"disk\"; destination = \"none\"; } );"
start_daemon "$tmp/conf"
for way in x509 psk; do
	ok "$way: a disk is copied" "$nbdsync" start --wait --quiet $way
	ok "$way: and arrives" cmp "$tmp/disk" "$tmp/$way.img"
done
exits 4 "a credential that was not passed fails the run" \
    "$nbdsync" start --wait --quiet none
like "which is named" "$(job_field none .last_run.failure.message)" \
    "missing'?: No such file"
unlike "no key is in the log" "$(cat "$tmp/daemon.log")" \
    "$(cut -d : -f 2 "$CREDENTIALS_DIRECTORY/psk")"
stop_process daemon
is "the daemon ends well" $? 0
