# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Holds standard input against the text format of Prometheus and its naming
# rules, as "promtool check metrics" does.  What is wrong is printed, and the
# status is 1.
use strict;
use warnings;

my (%type, %help, %seen, %done);
my $family = '';
my $bad = 0;
my $n = 0;

sub fail
{
	print "line $.: $_[0]\n";
	$bad++;
}

sub begin
{
	my ($name) = @_;

	return if $family eq $name;
	fail("$name comes in two places") if $done{$name};
	$done{$family} = 1 if $family ne '';
	$family = $name;
}

sub check_name
{
	my ($name, $type) = @_;

	fail("counter $name does not end in _total")
	    if $type eq 'counter' && $name !~ /_total$/;
	fail("$name ends in _total and is no counter")
	    if $type ne 'counter' && $name =~ /_total$/;
	fail("$name has no base unit")
	    if $name =~ /_(ms|milliseconds|minutes|hours|kib|mib|kb|mb|percent)\b/;
}

my %bucket;

sub check_bucket
{
	my ($name, $labels, $value) = @_;
	my ($others, $le) = $labels =~ /^\{(.*),le="([^"]+)"\}$/
	    or return fail("$name has a bucket without le at its end");
	my $key = "$name\{$others}";
	my $limit = $le eq '+Inf' ? 9**9**9 : $le;
	my $last = $bucket{$key} // [-1, 0];

	fail("buckets of $key are not in order") if $limit <= $last->[0];
	fail("buckets of $key do not grow") if $value < $last->[1];
	$bucket{$key} = [$limit, $value];
}

sub check_count
{
	my ($name, $labels, $value) = @_;
	my $last = $bucket{"$name$labels"} // [0, 0];

	fail("$name$labels has no bucket +Inf") if $last->[0] != 9**9**9;
	fail("$name$labels: count and +Inf differ") if $last->[1] != $value;
}

while (<STDIN>) {
	fail('no newline at the end') if !/\n$/;
	chomp;
	if (/^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/) {
		fail("two helps of $1") if $help{$1}++;
		begin($1);
	} elsif (/^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)$/) {
		fail("two types of $1") if $type{$1};
		$type{$1} = $2;
		check_name($1, $2);
		begin($1);
	} elsif (/^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (\S+)$/) {
		my ($name, $labels, $value) = ($1, $2 // '', $3);
		my $pair = qr/[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"/;

		# Three series make a histogram.
		my ($of, $kind) = $name =~ /^(.+)_(bucket|sum|count)$/;
		if ($of && ($type{$of} // '') eq 'histogram') {
			check_bucket($of, $labels, $value) if $kind eq 'bucket';
			check_count($of, $labels, $value) if $kind eq 'count';
			$name = $of;
			fail("$_ twice") if $seen{$_}++;
			$n++;
			begin($name);
			next;
		}
		begin($name);
		$n++;
		fail("$name has no type") if !$type{$name};
		fail("$name has no help") if !$help{$name};
		fail("bad labels $labels")
		    if $labels ne '' && $labels !~ /^\{$pair(?:,$pair)*\}$/;
		fail("bad value $value")
		    if $value !~ /^(?:[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|NaN|[-+]Inf)$/;
		fail("$name$labels twice") if $seen{"$name$labels"}++;
		fail("counter $name is negative")
		    if ($type{$name} // '') eq 'counter' && $value =~ /^-/;
	} else {
		fail("cannot be understood: $_");
	}
}
fail('there is nothing') if $n == 0;
exit($bad ? 1 : 0);
