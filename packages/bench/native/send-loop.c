/*
 * The floor under every server: one process that sends prepared bytes to many sockets at a fixed interval, and does nothing else.
 *
 *   send-loop PORT SOCKETS BYTES INTERVAL_US WARMUP_MS MEASURE_MS
 *
 * Listens on 127.0.0.1:PORT, prints "ready", accepts SOCKETS connections, prints "accepted", sends BYTES to each of them every
 * INTERVAL_US for WARMUP_MS, then goes on for MEASURE_MS and prints what that cost as one line of JSON.
 *
 * What a socket does not take at once stays owed and is offered again in the next turn, as any server must.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* The most one turn may send to a socket, and the most sockets. */
#define MAX_BYTES (16 * 1024 * 1024)
#define MAX_SOCKETS 20000
/* Clients that do not come, or a clock that stands still, must not keep this process for ever. */
#define ACCEPT_LIMIT_S 60
#define RUN_LIMIT_S 600

struct player {
  int fd;
  /* Where in the prepared bytes the next byte lies, and how many are owed. */
  size_t offset;
  size_t owed;
};

struct counters {
  long long turns, sends, bytes, shortSends, lateTurns, closed;
};

static void fail(const char *what) {
  fprintf(stderr, "send-loop: %s: %s\n", what, strerror(errno));
  exit(1);
}

static long long number(const char *name, const char *text, long long least, long long most) {
  char *end;
  long long value = strtoll(text, &end, 10);
  if (*text == '\0' || *end != '\0' || value < least || value > most) {
    fprintf(stderr, "send-loop: %s %s must be %lld..%lld\n", name, text, least, most);
    exit(2);
  }
  return value;
}

static long long nowUs(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static void sleepUntil(long long timeUs) {
  struct timespec until = {.tv_sec = timeUs / 1000000, .tv_nsec = timeUs % 1000000 * 1000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
  }
}

static void acceptAll(int port, struct player *players, int count) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) fail("socket");
  int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
  if (listen(listener, 4096) < 0) fail("listen");
  puts("ready");
  fflush(stdout);
  alarm(ACCEPT_LIMIT_S);
  for (int index = 0; index < count; index++) {
    players[index].fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (players[index].fd < 0) fail("accept");
  }
  alarm(RUN_LIMIT_S);
  close(listener);
  puts("accepted");
  fflush(stdout);
}

/* Offers a player what it is owed; what the kernel does not take remains. */
static void offer(struct player *player, const char *prepared, size_t size, struct counters *counters) {
  while (player->owed > 0) {
    size_t piece = size - player->offset;
    if (piece > player->owed) piece = player->owed;
    ssize_t sent = send(player->fd, prepared + player->offset, piece, MSG_NOSIGNAL | MSG_DONTWAIT);
    counters->sends++;
    if (sent < 0) {
      if (errno == EAGAIN || errno == EINTR) {
        counters->shortSends++;
        return;
      }
      close(player->fd);
      player->fd = -1;
      counters->closed++;
      return;
    }
    counters->bytes += sent;
    player->owed -= sent;
    player->offset = (player->offset + sent) % size;
    if ((size_t)sent < piece) {
      counters->shortSends++;
      return;
    }
  }
}

static struct counters run(struct player *players, int count, const char *prepared, size_t size, long long intervalUs, long long us) {
  struct counters counters = {0};
  long long start = nowUs();
  for (long long turn = start; turn < start + us;) {
    for (int index = 0; index < count; index++) {
      if (players[index].fd < 0) continue;
      players[index].owed += size;
      offer(&players[index], prepared, size, &counters);
    }
    counters.turns++;
    turn += intervalUs;
    if (turn < nowUs()) {
      counters.lateTurns++;
      turn = nowUs();
    }
    sleepUntil(turn);
  }
  return counters;
}

static long long timeUs(struct timeval time) { return time.tv_sec * 1000000LL + time.tv_usec; }

int main(int argc, char **argv) {
  if (argc != 7) {
    fprintf(stderr, "Usage: send-loop PORT SOCKETS BYTES INTERVAL_US WARMUP_MS MEASURE_MS\n");
    return 2;
  }
  int port = number("PORT", argv[1], 1, 65535);
  int count = number("SOCKETS", argv[2], 1, MAX_SOCKETS);
  size_t size = number("BYTES", argv[3], 1, MAX_BYTES);
  long long intervalUs = number("INTERVAL_US", argv[4], 100, 60000000);
  long long warmUpUs = number("WARMUP_MS", argv[5], 0, 60000) * 1000;
  long long measureUs = number("MEASURE_MS", argv[6], 1, 300000) * 1000;
  struct player *players = calloc(count, sizeof *players);
  char *prepared = malloc(size);
  if (players == NULL || prepared == NULL) fail("memory");
  memset(prepared, 0x5a, size);
  signal(SIGPIPE, SIG_IGN);

  acceptAll(port, players, count);
  run(players, count, prepared, size, intervalUs, warmUpUs);
  struct rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  long long start = nowUs();
  struct counters counters = run(players, count, prepared, size, intervalUs, measureUs);
  long long tookUs = nowUs() - start;
  getrusage(RUSAGE_SELF, &after);
  printf("{\"seconds\":%.3f,\"userMs\":%.3f,\"systemMs\":%.3f,\"turns\":%lld,\"sends\":%lld,\"bytes\":%lld,"
         "\"shortSends\":%lld,\"lateTurns\":%lld,\"closed\":%lld}\n",
         tookUs / 1e6, (timeUs(after.ru_utime) - timeUs(before.ru_utime)) / 1e3,
         (timeUs(after.ru_stime) - timeUs(before.ru_stime)) / 1e3, counters.turns, counters.sends, counters.bytes,
         counters.shortSends, counters.lateTurns, counters.closed);
  return 0;
}
