# SPDX-License-Identifier: LGPL-2.1-or-later
#
# library-manual.pl TREE: prints what is wrong between the installed headers,
# the symbol map and nbdclient(3).
use strict;
use warnings;

my %codes;
my %prototypes;

sub text_of {
	local $/;
	open my $f, '<', "$ARGV[0]/$_[0]" or die "$_[0]: $!\n";
	return <$f>;
}

# C with one way to write it.
sub canonical {
	my ($c) = @_;
	$c =~ s{/\*.*?\*/}{}gs;
	$c =~ s/\s+/ /g;
	$c =~ s/ ?([^\w ]) ?/$1/g;
	$c =~ s/^ | $//g;
	return $c;
}

# NAME => canonical prototype
sub prototypes_of {
	my ($c) = @_;
	my %found;
	while ($c =~ /(?:^|[;}])((?:const )?[\w ]+[ *])(nbdclient_\w+)(\([^;]*\));/g) {
		$found{$2} = "$1$2$3" unless $1 =~ /typedef/;
		pos($c) = pos($c) - 1;
	}
	return %found;
}

# What the lines of a .BI come to.
sub synopsis_of {
	my ($man) = @_;
	my $c = '';
	$man =~ s/^\.SH DESCRIPTION.*//ms;
	for my $line ($man =~ /^\.BI (.*)$/mg) {
		$c .= defined $1 ? $1 : $2 while $line =~ /"([^"]*)"|(\S+)/g;
		$c .= ' ';
	}
	return canonical($c);
}

# NAME => what is said under its head
sub entries_of {
	my ($man) = @_;
	my (%entries, @heads);
	my $is_head = 0;
	for my $line (split /\n/, $man) {
		if ($line =~ /^\.(?:TP|SS|SH|PP)\b/) {
			@heads = ();
			$is_head = $line eq '.TP';
		} elsif ($line eq '.TQ') {
			$is_head = 1;
		} elsif ($is_head) {
			$is_head = 0;
			next unless $line =~ /^\.BR (nbdclient_\w+) \(\)$/;
			push @heads, $1;
			print "$1: explained twice\n" if defined $entries{$1};
			$entries{$1} = '';
		} else {
			$entries{$_} .= "$line\n" for @heads;
		}
	}
	return %entries;
}

sub check_errors {
	my ($name, $entry) = @_;
	my ($errors) = $entry =~ /^(Errors: *.*)/ms;
	return print "$name: its errors are not told\n" unless $errors;
	while ($errors =~ /^\.BR? ([A-Z_]+)\b/mg) {
		print "$name: there is no code $1\n" unless $codes{$1};
	}
}

my $man = text_of('doc/nbdclient.3');
my $c = canonical(join '', map {
	my $text = text_of("lib/client/$_");
	$text =~ s/^#.*\n//mg;
	$text =~ s/^extern "C" \{|^\}$//mg;
	$text;
} qw(nbdclient.h nbdclient-event.h));

# Symbols: the map, the headers, the synopsis, an entry each.
my %mapped = map { $_ => 1 }
    text_of('lib/client/nbdclient.map') =~ /^\t(nbdclient_\w+);/mg;
%prototypes = prototypes_of(";$c");
my %shown = prototypes_of(';' . synopsis_of($man));
my %entries = entries_of($man);
print "no symbols\n" unless %mapped;
for my $name (sort keys %{{ %mapped, %prototypes, %shown, %entries }}) {
	print "$name: not in the map\n" unless $mapped{$name};
	print "$name: not in a header\n" unless $prototypes{$name};
	print "$name: not in the synopsis\n" unless $shown{$name};
	print "$name: not explained\n" unless defined $entries{$name};
	print "$name: another prototype in the synopsis\n"
	    if ($prototypes{$name} // '') ne ($shown{$name} // '');
}

# Errors: the codes, and those of each call that can fail.
my ($list) = $c =~ /enum nbdclient_code\{(.*?)\}/;
$codes{$_} = 1 for grep { $_ ne 'OK' } ($list // '') =~ /NBDCLIENT_(\w+)=/g;
my ($section) = $man =~ /^\.SH ERRORS\n(.*?)^\.SH/ms;
my %told = map { $_ => 1 } ($section // '') =~ /^\.TP\n\.B (\w+)$/mg;
for my $code (sort keys %{{ %codes, %told }}) {
	print "$code: not a code\n" unless $codes{$code};
	print "$code: not under ERRORS\n" unless $told{$code};
}
my @fallible = grep { $prototypes{$_} =~ /nbdclient_error\*err\)/ &&
    defined $entries{$_} } sort keys %prototypes;
check_errors($_, $entries{$_}) for @fallible;

# The protocol: a section of it, or a call that has one; not for its errors.
s/^Errors:.*//ms for values %entries;
my %has_section = map { $_ => 1 }
    grep { $entries{$_} =~ /"[A-Z][\w ]+"|doc\/uri\.md/ } keys %entries;
for my $name (@fallible) {
	print "$name: no section of the protocol\n"
	    unless $has_section{$name} ||
	    grep { $has_section{$_} } $entries{$name} =~ /(nbdclient_\w+) \(/g;
}

# What else is declared is shown as it is.
my @blocks = map { canonical($_) }
    grep { /^(?:struct \w+ \{|enum|typedef)/ } $man =~ /^\.EX\n(.*?)^\.EE/msg;
for my $declared (grep { !/^enum nbdclient_code/ }
    $c =~ /((?:struct|enum) nbdclient_\w+\{(?:[^{}])*\};|typedef [^;]*;)/g) {
	print substr($declared, 0, 40), ": not shown as it is\n"
	    unless grep { $_ eq $declared } @blocks;
}
