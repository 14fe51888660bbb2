# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Servers of a row.  They are ended with it, and with the benchmark.
#
#	serve NAME ARGS...		nbdkit on $tmp/NAME.sock
#	serve_tcp NAME ARGS...		nbdkit on a free port
#	serve_source NAME BYTES		a disk of data
#	serve_destination NAME BYTES	a disk that swallows all
#	serve_islands NAME BYTES N LEN	zeroes with N islands of LEN bytes
#	uri NAME			where it is
#
# The last three are nbdkit, or the lean server where that is asked for; with
# "tcp" in $transport they listen on loopback TCP.

servers=()
transport=unix

stop_servers()
{
	[ ${#servers[@]} -eq 0 ] || kill "${servers[@]}" 2>/dev/null || :
	wait 2>/dev/null || :
	servers=()
	transport=unix
	rm -f "$tmp"/*.pid "$tmp"/*.sock "$tmp"/*.uri
}

# The processes, as measure wants them.
server_pids()
{
	local IFS=,

	echo "${servers[*]}"
}

free_port()
{
	perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(
	    Listen => 1, LocalAddr => "127.0.0.1")->sockport'
}

# started NAME CONDITION...: wait for the server that was started last.
started()
{
	local name=$1

	shift
	servers+=($!)
	until "$@"; do
		kill -0 $! 2>/dev/null || {
			cat "$tmp/$name.log" >&2
			exit 1
		}
		sleep 0.02
	done
}

start_nbdkit()
{
	local name=$1

	shift
	nbdkit --foreground --exit-with-parent --pidfile "$tmp/$name.pid" \
	    "$@" >"$tmp/$name.log" 2>&1 &
	started "$name" test -s "$tmp/$name.pid"
}

serve()
{
	local name=$1

	shift
	echo "nbd+unix:///?socket=$tmp/$name.sock" >"$tmp/$name.uri"
	start_nbdkit "$name" --unix "$tmp/$name.sock" "$@"
}

serve_tcp()
{
	local name=$1 port

	shift
	port=$(free_port)
	echo "nbd://127.0.0.1:$port" >"$tmp/$name.uri"
	start_nbdkit "$name" --ipaddr 127.0.0.1 --port "$port" "$@"
}

# Plain servers on the row's transport.
serve_plain()
{
	if [ $transport = tcp ]; then
		serve_tcp "$@"
	else
		serve "$@"
	fi
}

is_listening()
{
	perl -MIO::Socket::INET -e 'exit !IO::Socket::INET->new(
	    PeerAddr => "127.0.0.1", PeerPort => shift)' "$1"
}

serve_lean()
{
	local name=$1 port

	shift
	if [ $transport = tcp ]; then
		port=$(free_port)
		echo "nbd://127.0.0.1:$port" >"$tmp/$name.uri"
		"$helpers/lean-server" "tcp:$port" "$@" >"$tmp/$name.log" 2>&1 &
		started "$name" is_listening "$port"
	else
		echo "nbd+unix:///?socket=$tmp/$name.sock" >"$tmp/$name.uri"
		"$helpers/lean-server" "unix:$tmp/$name.sock" "$@" \
		    >"$tmp/$name.log" 2>&1 &
		started "$name" test -S "$tmp/$name.sock"
	fi
}

serve_source()
{
	if [ "$server" = lean ]; then
		serve_lean "$1" "$2"
	else
		serve_plain "$1" pattern "size=$2"
	fi
}

serve_destination()
{
	if [ "$server" = lean ]; then
		serve_lean "$1" "$2"
	else
		serve_plain "$1" null "size=$2"
	fi
}

serve_islands()
{
	local name=$1 size=$2 n=$3 len=$4
	local distance=$((size / n / 4096 * 4096)) islands='' i

	if [ "$server" = lean ]; then
		serve_lean "$name" "$size" "$n" "$len"
		return
	fi
	for ((i = 0; i < n; i++)); do
		islands+="@$((i * distance)) (0x55*$len) "
	done
	serve_plain "$name" data "size=$size" data="$islands"
}

uri()
{
	cat "$tmp/$1.uri"
}

# What TLS needs: an authority, a certificate, a key that is shared.
make_certificates()
{
	local dir=$tmp/pki

	[ ! -d "$dir" ] || return 0
	mkdir -p "$dir/server"
	printf '%s\n' 'cn = "an authority"' ca cert_signing_key \
	    'expiration_days = 2' >"$dir/ca.template"
	printf '%s\n' 'cn = "localhost"' signing_key tls_www_server \
	    'dns_name = "localhost"' 'expiration_days = 2' \
	    >"$dir/server.template"
	{
		certtool --generate-privkey --key-type=ecdsa \
		    --outfile "$dir/ca-key.pem"
		certtool --generate-self-signed \
		    --template "$dir/ca.template" \
		    --load-privkey "$dir/ca-key.pem" \
		    --outfile "$dir/ca-cert.pem"
		certtool --generate-privkey --key-type=ecdsa \
		    --outfile "$dir/server/server-key.pem"
		certtool --generate-certificate \
		    --template "$dir/server.template" \
		    --load-privkey "$dir/server/server-key.pem" \
		    --load-ca-certificate "$dir/ca-cert.pem" \
		    --load-ca-privkey "$dir/ca-key.pem" \
		    --outfile "$dir/server/server-cert.pem"
		cp "$dir/ca-cert.pem" "$dir/server"
		psktool --username alice --pskfile "$dir/keys.psk"
	} >"$dir/log" 2>&1 || {
		cat "$dir/log" >&2
		exit 1
	}
}

# serve_tls x509|psk NAME ARGS...: nbdkit with TLS, on loopback TCP.
serve_tls()
{
	local kind=$1 name=$2 dir=$tmp/pki

	shift 2
	make_certificates
	if [ "$kind" = psk ]; then
		serve_tcp "$name" --tls=require --tls-psk="$dir/keys.psk" "$@"
		sed -i -e 's|nbd://|nbds://alice@|' \
		    -e "s|\$|/?tls-psk-file=$dir/keys.psk|" "$tmp/$name.uri"
	else
		serve_tcp "$name" --tls=require \
		    --tls-certificates="$dir/server" "$@"
		sed -i -e 's|nbd://127.0.0.1|nbds://localhost|' \
		    -e "s|\$|/?tls-certificates=$dir|" "$tmp/$name.uri"
	fi
}
