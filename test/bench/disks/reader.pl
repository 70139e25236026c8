# Runs in the guest: reads blocks of 4 KiB of its disk, each once, in a random order, and prints microseconds per read.
# It uses no module, for the guest has none. reader.pl BASE_BYTES BLOCKS READS, or reader.pl BASE_BYTES BLOCKS fill WRITES: writes random blocks instead.
my ($base, $blocks, $reads, $writes) = @ARGV;
my ($O_RDWR, $SYS_fsync, $SYS_clock_gettime, $CLOCK_MONOTONIC) = (2, 74, 228, 1);
sysopen(my $disk, '/dev/vda', $O_RDWR) or die "disk: $!";

sub at { defined sysseek($disk, $base + 4096 * $_[0], 0) or die "seek: $!" }
sub now {
  my $time = "\0" x 16;
  syscall($SYS_clock_gettime, $CLOCK_MONOTONIC, $time);
  my ($seconds, $nanoseconds) = unpack('qq', $time);
  return $seconds * 1e6 + $nanoseconds / 1e3;
}

if ($reads eq 'fill') {
  for (1 .. $writes) {
    at($writes >= $blocks ? $_ - 1 : int rand $blocks);
    syswrite($disk, pack('N*', map { int rand 4294967296 } 1 .. 4) x 256) == 4096 or die "write: $!";
  }
  syscall($SYS_fsync, fileno $disk) == 0 or die "sync: $!";
  exit;
}
for (['/sys/block/vda/queue/read_ahead_kb', 0], ['/proc/sys/vm/drop_caches', 3]) {
  open(my $file, '>', $_->[0]) or die "$_->[0]: $!";
  print $file $_->[1];
}
my @order = 0 .. $blocks - 1;
for my $last (reverse 1 .. $#order) {
  my $other = int rand($last + 1);
  @order[$last, $other] = @order[$other, $last];
}
my $began = now();
for my $block (@order[0 .. $reads - 1]) {
  at($block);
  sysread($disk, my $data, 4096) == 4096 or die "read: $!";
}
printf("%.3f\n", (now() - $began) / $reads);
