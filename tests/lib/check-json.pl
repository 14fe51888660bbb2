# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Holds JSON against the schema of the control API, as much of JSON Schema as
# that uses: type, enum, pattern, minimum, maximum, properties, required,
# additionalProperties, items, anyOf, $ref.
#
# It asks for more than the schema says: what is in an answer has to be in the
# schema.  Clients may find more, of a newer daemon, than theirs knows.
#
#	perl check-json.pl SCHEMA-FILE REF <JSON-LINES
#
# SCHEMA-FILE is what GET /v1/schema answers, REF as "#/$defs/job".  What is
# wrong is printed, and the status is 1.
use strict;
use warnings;
use JSON::PP;

my ($file, $ref) = @ARGV;
open my $fh, '<', $file or die "$file: $!";
local $/;
my $root = decode_json(<$fh>);
my $bad = 0;

sub fail
{
	print "$_[0]: $_[1]\n";
	$bad++;
	return 0;
}

sub is_bool { return JSON::PP::is_bool($_[0]); }

# Scalars of a decoded text know whether they were written as a number.
sub is_number
{
	my $v = $_[0];

	return 0 if !defined $v || ref $v;
	return encode_json([$v]) =~ /^\[-?[0-9]/;
}

my %types = (
	object => sub { ref $_[0] eq 'HASH' },
	array => sub { ref $_[0] eq 'ARRAY' },
	string => sub { defined $_[0] && !ref $_[0] && !is_number($_[0]) },
	boolean => sub { is_bool($_[0]) },
	null => sub { !defined $_[0] },
	number => sub { is_number($_[0]) },
	integer => sub { is_number($_[0]) && $_[0] == int $_[0] },
);

sub check_object
{
	my ($v, $s, $at) = @_;

	for (@{$s->{required} || []}) {
		fail($at, "has no \"$_\"") if !exists $v->{$_};
	}
	my $known = $s->{properties};
	for (sort keys %$v) {
		my $p = $known ? $known->{$_} : $s->{additionalProperties};

		if (defined $p) {
			check($v->{$_}, $p, "$at.$_");
		} elsif (defined $known) {
			fail($at, "has \"$_\", which the schema has not");
		}
	}
}

sub any_of
{
	my ($v, $s, $at) = @_;
	my $before = $bad;
	my $said = '';

	for (@{$s->{anyOf}}) {
		my $out = '';
		my $here = $bad;

		{
			open local *STDOUT, '>', \$out;
			check($v, $_, $at);
		}
		if ($bad == $here) {
			$bad = $before;
			return;
		}
		$said ||= $out;
	}
	print $said;
}

sub check
{
	my ($v, $s, $at) = @_;

	if (my $r = $s->{'$ref'}) {
		my ($name) = $r =~ m{^#/\$defs/(.+)$} or die "ref $r";

		die "no $r" if !$root->{'$defs'}{$name};
		return check($v, $root->{'$defs'}{$name}, $at);
	}
	return any_of($v, $s, $at) if $s->{anyOf};
	if (my $t = $s->{type}) {
		return fail($at, "is no $t") if !$types{$t}->($v);
	}
	if ($s->{enum} && !grep { defined $v && $_ eq $v } @{$s->{enum}}) {
		fail($at, "is \"" . ($v // 'null') . '", which is none of them');
	}
	fail($at, "\"$v\" is not like $s->{pattern}")
	    if $s->{pattern} && $v !~ /$s->{pattern}/;
	fail($at, "$v is too small")
	    if defined $s->{minimum} && $v < $s->{minimum};
	fail($at, "$v is too large")
	    if defined $s->{maximum} && $v > $s->{maximum};
	check_object($v, $s, $at) if ref $v eq 'HASH';
	if (ref $v eq 'ARRAY' && $s->{items}) {
		check($v->[$_], $s->{items}, "$at\[$_]") for 0 .. $#$v;
	}
}

my $n = 0;
for my $line (split /\n/, <STDIN>) {
	$n++;
	check(decode_json($line), { '$ref' => $ref }, "line $n");
}
fail('input', 'is empty') if $n == 0;
exit($bad ? 1 : 0);
