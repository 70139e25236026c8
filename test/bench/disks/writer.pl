# Runs in the guest: writes numbered records to its disk, one block each, and syncs each before the next.
# It uses no module, for the guest has none. writer.pl BASE_BYTES EPOCH FIRST_NUMBER ACKNOWLEDGED_FILE; records.ts says what a record looks like.
my ($base, $epoch, $number, $acknowledged) = @ARGV;
my ($O_RDWR, $SYS_fsync, $SYS_clock_gettime, $CLOCK_MONOTONIC) = (2, 74, 228, 1);
my $PAUSE_SECONDS = 0.002;

sysopen(my $disk, '/dev/vda', $O_RDWR) or die "disk: $!";
open(my $told, '>', $acknowledged) or die "file: $!";
for (;; $number++) {
  my $time = "\0" x 16;
  syscall($SYS_clock_gettime, $CLOCK_MONOTONIC, $time) == 0 or die "clock: $!";
  my ($seconds, $nanoseconds) = unpack('qq', $time);
  my $text = pack('a8 Q> Q> Q>', 'record', $epoch, $number, $seconds * 1_000_000_000 + $nanoseconds) x 127;
  my $body = $text . "\0" x (4092 - length $text);
  my $record = $body . pack('N', unpack('%32N*', $body));
  defined sysseek($disk, $base + 4096 * $number, 0) or die "seek: $!";
  syswrite($disk, $record) == 4096 or die "write: $!";
  syscall($SYS_fsync, fileno $disk) == 0 or die "sync: $!";
  sysseek($told, 0, 0);
  syswrite($told, sprintf("%016d\n", $number + 1));
  select(undef, undef, undef, $PAUSE_SECONDS);
}
