# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Certificates for tests, sourced after testlib.sh.
#
#	make_ca DIR			an authority: DIR/ca-cert.pem
#	make_cert DIR KIND TEMPLATE...	DIR/KIND-cert.pem and -key.pem, signed
#					by DIR's authority; a TEMPLATE is a
#					line for certtool(1)
#	tls_uri NAME DIR HOSTNAME	nbds+unix: to start_nbdkit's NAME
#	make_pki DIR			all of the three: an authority, a server
#					good.example and 127.0.0.1, a client
#	make_psk DIR USER		DIR/keys.psk with a key for a user
#	psk_uri NAME FILE USER		nbds+unix: with a key of the file

make_ca()
{
	mkdir -p "$1" || bail "mkdir"
	printf '%s\n' 'cn = "an authority"' ca cert_signing_key \
	    'expiration_days = 2' >"$1/template"
	{
		certtool --generate-privkey --key-type=ecdsa \
		    --outfile "$1/ca-key.pem" &&
		certtool --generate-self-signed --template "$1/template" \
		    --load-privkey "$1/ca-key.pem" --outfile "$1/ca-cert.pem"
	} >"$tmp/certtool.log" 2>&1 || bail "certtool made no authority"
}

make_cert()
{
	dir_=$1
	kind_=$2
	shift 2
	printf '%s\n' "cn = \"$kind_\"" signing_key "$@" >"$dir_/template"
	{
		certtool --generate-privkey --key-type=ecdsa \
		    --outfile "$dir_/$kind_-key.pem" &&
		certtool --generate-certificate --template "$dir_/template" \
		    --load-privkey "$dir_/$kind_-key.pem" \
		    --load-ca-certificate "$dir_/ca-cert.pem" \
		    --load-ca-privkey "$dir_/ca-key.pem" \
		    --outfile "$dir_/$kind_-cert.pem"
	} >"$tmp/certtool.log" 2>&1 || bail "certtool made no certificate"
}

tls_uri()
{
	echo "nbds+unix:///?socket=$tmp/$1.sock&tls-certificates=$2&tls-hostname=$3"
}

psk_uri()
{
	echo "nbds+unix://$3@/?socket=$tmp/$1.sock&tls-psk-file=$2"
}

make_pki()
{
	make_ca "$1"
	make_cert "$1" server 'dns_name = "good.example"' \
	    'ip_address = "127.0.0.1"' tls_www_server 'expiration_days = 2'
	make_cert "$1" client tls_www_client 'expiration_days = 2'
}

make_psk()
{
	mkdir -p "$1" || bail "mkdir"
	psktool -u "$2" -p "$1/keys.psk" >/dev/null || bail "psktool"
}
