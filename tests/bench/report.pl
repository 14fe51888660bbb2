#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tables and JSON from the figures of runs.sh:
#
#	report.pl table ROW FIGURES
#	report.pl json MACHINE FIGURES
#	report.pl markdown MACHINE FIGURES
#
# Figures, and what they are called in a table:
#
#	wall, user, sys		seconds; cpu is user and sys
#	servers			seconds of processor time the servers used
#	peak			KiB of memory at the peak
#	cpu_each		of growth rows: milliseconds of processor time for
#				each of what the program's name counts
#	cpu_per			microseconds of processor time for each request
#	heap_per, rss_per	bytes
#	p50_ms, p99_ms		milliseconds
#
# The first program is ours.  Where the others do the same work, a ratio is
# ours to theirs in the same round: its median, and its quartiles.

use strict;
use warnings;

# name, heading, format, divisor
my @columns = (
	['wall', 'wall s', '%.2f', 1],
	['user', 'user s', '%.2f', 1],
	['sys', 'sys s', '%.2f', 1],
	['cpu', 'CPU s', '%.2f', 1],
	['peak', 'peak MiB', '%.1f', 1024],
	['servers', 'servers s', '%.2f', 1],
	['cpu_each', 'CPU ms each', '%.3f', 1],
	['cpu_per', 'CPU us each', '%.2f', 1],
	['heap_per', 'heap KiB', '%.1f', 1024],
	['rss_per', 'RSS KiB', '%.1f', 1024],
	['asked', 'asked', '%.0f', 1],
	['p50_ms', 'p50 ms', '%.1f', 1],
	['p99_ms', 'p99 ms', '%.1f', 1],
);
my @compared = ('wall', 'cpu', 'cpu_per', 'peak', 'heap_per', 'rss_per');

sub quantile {
	my ($part, @values) = @_;
	@values = sort { $a <=> $b } @values;
	my $at = $part * $#values;
	my $below = int $at;
	my $above = $below < $#values ? $below + 1 : $below;
	return $values[$below] +
	    ($at - $below) * ($values[$above] - $values[$below]);
}

# One program, with several amounts.
sub grows {
	return $_[0]{name} =~ /^growth/;
}

sub parse_run {
	my ($text, $each) = @_;
	my %run = map { split /=/, $_, 2 } split / /, $text;
	$run{cpu} = $run{user} + $run{sys} if exists $run{user};
	$run{cpu_each} = $run{cpu} * 1000 / $each if $each;
	return \%run;
}

# Rows in their order, each with its programs in theirs.
sub read_rows {
	my ($file) = @_;
	my (@rows, %row_of);
	open my $in, '<', $file or die "$file: $!\n";
	while (my $line = <$in>) {
		chomp $line;
		my ($kind, $name, @rest) = split /\t/, $line;
		my $row = $row_of{$name};
		if (!$row) {
			$row = { name => $name, title => '', programs => [],
			    cannot => [], of => {} };
			$row_of{$name} = $row;
			push @rows, $row;
		}
		if ($kind eq 'row') {
			$row->{title} = $rest[0];
		} elsif ($kind eq 'cannot') {
			push @{ $row->{cannot} }, $rest[0];
		} else {
			my $program = $row->{of}{ $rest[0] };
			if (!$program) {
				$program = { name => $rest[0], runs => [] };
				$row->{of}{ $rest[0] } = $program;
				push @{ $row->{programs} }, $program;
			}
			push @{ $program->{runs} }, parse_run($rest[1],
			    grows($row) && $rest[0] =~ /^(\d+)/ ? $1 : 0);
		}
	}
	return @rows;
}

sub medians {
	my ($program) = @_;
	my %medians;
	for my $name (keys %{ $program->{runs}[0] }) {
		$medians{$name} = quantile(0.5,
		    map { $_->{$name} } @{ $program->{runs} });
	}
	return \%medians;
}

# Ratios of ours to another program's: [median, lower, upper quartile].
sub ratios {
	my ($ours, $theirs) = @_;
	my $n = @{ $ours->{runs} } < @{ $theirs->{runs} } ?
	    @{ $ours->{runs} } : @{ $theirs->{runs} };
	my %ratios;
	for my $name (@compared) {
		my @r = map { $ours->{runs}[$_]{$name} /
		    $theirs->{runs}[$_]{$name} }
		    grep { ($theirs->{runs}[$_]{$name} // 0) > 0 &&
		    defined $ours->{runs}[$_]{$name} } 0 .. $n - 1;
		$ratios{$name} = [map { quantile($_, @r) } 0.5, 0.25, 0.75]
		    if @r;
	}
	return \%ratios;
}

sub print_table {
	my ($row) = @_;
	print "$row->{name}: $row->{title}\n";
	my @programs = @{ $row->{programs} };
	my @medians = map { medians($_) } @programs;
	my @shown = grep { my $c = $_->[0]; grep { exists $_->{$c} } @medians }
	    @columns;
	if (@programs) {
		printf "  %-16s", '';
		printf " %11s", $_->[1] for @shown;
		print "\n";
	}
	for my $i (0 .. $#programs) {
		printf "  %-16s", $programs[$i]{name};
		for my $c (@shown) {
			my $v = $medians[$i]{ $c->[0] };
			printf " %11s", defined $v ?
			    sprintf($c->[2], $v / $c->[3]) : '-';
		}
		print "\n";
	}
	print_ratios($row) if !grows($row);
	print "  cannot: $_\n" for @{ $row->{cannot} };
	print "\n";
}

sub print_ratios {
	my ($row) = @_;
	my ($ours, @others) = @{ $row->{programs} };
	for my $other (@others) {
		my $ratios = ratios($ours, $other);
		my @words = map { sprintf '%s %.2f (%.2f-%.2f)', $_,
		    @{ $ratios->{$_} } } grep { $ratios->{$_} } @compared;
		print "  $ours->{name} / $other->{name}: ",
		    join(', ', @words), "\n";
	}
}

sub quoted {
	my ($text) = @_;
	$text =~ s/(["\\])/\\$1/g;
	$text =~ s/([\x00-\x1f])/sprintf '\\u%04x', ord $1/ge;
	return qq("$text");
}

sub json_object {
	my ($of, $value) = @_;
	return '{' . join(', ', map { quoted($_) . ': ' .
	    $value->($of->{$_}) } sort keys %$of) . '}';
}

sub json_program {
	my ($row, $program) = @_;
	my $number = sub { 0 + $_[0] };
	my $text = '{"program": ' . quoted($program->{name}) .
	    ",\n   \"medians\": " . json_object(medians($program), $number);
	my $ours = $row->{programs}[0];
	$text .= ",\n   \"ours_to_this\": " . json_object(
	    ratios($ours, $program), sub { my ($m, $l, $u) = @{ $_[0] };
	    sprintf '{"median": %.4f, "quartiles": [%.4f, %.4f]}',
	    $m, $l, $u })
	    if $program != $ours && !grows($row);
	return $text . ",\n   \"runs\": [" . join(",\n    ",
	    map { json_object($_, $number) } @{ $program->{runs} }) . ']}';
}

sub print_json {
	my ($machine, @rows) = @_;
	open my $in, '<', $machine or die "$machine: $!\n";
	my %of = map { chomp; split /=/, $_, 2 } <$in>;
	print '{"machine": ', json_object(\%of, \&quoted), ",\n \"rows\": [";
	print join(",\n", map { my $row = $_; "\n {\"row\": " .
	    quoted($row->{name}) . ', "title": ' . quoted($row->{title}) .
	    ",\n  \"cannot\": [" .
	    join(', ', map { quoted($_) } @{ $row->{cannot} }) .
	    "],\n  \"programs\": [" .
	    join(",\n  ", map { json_program($row, $_) }
	    @{ $row->{programs} }) . ']}' } @rows);
	print "]}\n";
}

sub print_markdown {
	my ($machine, @rows) = @_;
	open my $in, '<', $machine or die "$machine: $!\n";
	while (<$in>) {
		chomp;
		my ($name, $value) = split /=/, $_, 2;
		print "- $name: $value\n";
	}
	markdown_row($_) for @rows;
}

sub markdown_row {
	my ($row) = @_;
	my @programs = @{ $row->{programs} };
	my @medians = map { medians($_) } @programs;
	my @shown = grep { my $c = $_->[0]; grep { exists $_->{$c} } @medians }
	    @columns;
	print "\n`$row->{name}`: $row->{title}.\n\n";
	print "| |", join('|', map { " $_->[1] " } @shown), "|\n";
	print "|---|", join('|', map { '---:' } @shown), "|\n";
	for my $i (0 .. $#programs) {
		print "| $programs[$i]{name} |", join('|', map {
		    my $v = $medians[$i]{ $_->[0] };
		    defined $v ? sprintf(" $_->[2] ", $v / $_->[3]) : ' '
		    } @shown), "|\n";
	}
	my ($ours, @others) = grows($row) ? () : @programs;
	for my $other (@others) {
		my $ratios = ratios($ours, $other);
		print "| ratio to $other->{name} |", join('|', map {
		    my $r = $ratios->{ $_->[0] };
		    $r ? sprintf(' **%.2f** ', $r->[0]) : ' '
		    } @shown), "|\n";
	}
	print "\nNot measured: $_.\n" for @{ $row->{cannot} };
}

my ($what, $which, $file) = @ARGV;
die "Usage: report.pl table ROW FIGURES | json MACHINE FIGURES | " .
    "markdown MACHINE FIGURES\n" if @ARGV != 3;
my @rows = read_rows($file);
if ($what eq 'json') {
	print_json($which, @rows);
} elsif ($what eq 'markdown') {
	print_markdown($which, @rows);
} else {
	print_table($_) for grep { $_->{name} eq $which } @rows;
}
