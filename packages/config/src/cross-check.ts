/** Checks that need more than one directive, or facts about the machine. */
import { anyHost, formatAddress, isIpv4, type ListenAddress } from './address-type.ts';
import { formatCasterOutput, isOwnHost } from './caster-output-type.ts';
import type { Config, StreamCasterConfig, VhostConfig } from './config.ts';
import { type Directive, findChild, findPath } from './directive.ts';
import { type Place, type ProblemList, showValue } from './problem.ts';
import { hasDistinctNames, isRecordingTemplate } from './template-type.ts';

/** What is known about the machine; a check whose fact is missing is left out. */
export interface MachineFacts {
  /** How many files the process may have open. */
  readonly openFilesLimit?: number | undefined;
  /** Local IPv4 addresses, 127.0.0.1 not counted. */
  readonly localAddressCount?: number | undefined;
}

// Log, listeners, pid file and the like need descriptors besides the connections.
const spareDescriptors = 10;

export class CrossCheck {
  readonly #tree: Directive;
  readonly #errors: ProblemList;
  readonly #warnings: ProblemList;

  constructor(tree: Directive, errors: ProblemList, warnings: ProblemList) {
    this.#tree = tree;
    this.#errors = errors;
    this.#warnings = warnings;
  }

  check(config: Config, facts: MachineFacts): void {
    this.#checkConnections(config, facts.openFilesLimit);
    this.#checkNetwork(config, facts.localAddressCount);
    this.#checkRing(config);
    this.#checkPorts(config);
    this.#checkCasters(config);
    this.#checkApiAuth(config);
    if (config.vhosts.size === 0) this.#warnings.add(this.#tree, 'no vhost is configured, every client will be refused');
    for (const vhost of config.vhosts.values()) this.#checkVhost(vhost);
  }

  #placeOf(...path: string[]): Place {
    const alias = path[0] === 'http_stream' ? findPath(this.#tree, ['http_server', ...path.slice(1)]) : undefined;
    return findPath(this.#tree, path) ?? alias ?? this.#tree;
  }

  #checkConnections(config: Config, limit: number | undefined): void {
    const wanted = config.maxConnections;
    if (limit === undefined || wanted <= limit) return;
    this.#errors.add(
      this.#placeOf('max_connections'),
      `max_connections ${wanted} must be 1..${limit}, as many files as this process may open; ulimit -HSn ${wanted + spareDescriptors} raises that`,
      { directive: 'max_connections', value: String(wanted), allowed: `1..${limit}` },
    );
  }

  #checkNetwork(config: Config, count: number | undefined): void {
    const { network } = config.stats;
    if (count === undefined || network < count || (network === 0 && count === 0)) return;
    const allowed = count === 0 ? '0' : `0..${count - 1}`;
    this.#warnings.add(
      this.#placeOf('stats', 'network'),
      `network ${network} is none of this machine's IPv4 addresses, ${allowed}`,
      {
        directive: 'stats / network',
        value: String(network),
        allowed,
      },
    );
  }

  #checkRing(config: Config): void {
    const { initialSizeBytes, maxSizeBytes, memoryBytes } = config.ring;
    if (initialSizeBytes > maxSizeBytes) {
      const message = `initial_size is ${initialSizeBytes} bytes, must be at most max_size, ${maxSizeBytes}`;
      this.#errors.add(this.#placeOf('ring'), message, { directive: 'ring / initial_size' });
    }
    if (maxSizeBytes > memoryBytes) {
      const message = `max_size is ${maxSizeBytes} bytes, must be at most memory, ${memoryBytes}`;
      this.#errors.add(this.#placeOf('ring'), message, { directive: 'ring / max_size' });
    }
  }

  /** Two services cannot have one port; told here, because a daemon could tell it only in its log. */
  #checkPorts(config: Config): void {
    const { listen, rtmps, privateApi, httpApi, httpStream, exporter } = config;
    const services: { readonly address: ListenAddress; readonly path: readonly string[]; readonly place?: Place }[] = [
      ...listen.map((address) => ({ address, path: ['listen'] })),
      { address: privateApi.listen, path: ['private_api', 'listen'] },
      ...(rtmps.enabled ? [{ address: rtmps.listen, path: ['rtmps', 'listen'] }] : []),
      ...(httpApi.enabled ? [{ address: httpApi.listen, path: ['http_api', 'listen'] }] : []),
      ...(httpApi.enabled && httpApi.https.enabled
        ? [{ address: httpApi.https.listen, path: ['http_api', 'https', 'listen'] }]
        : []),
      ...(httpStream.enabled ? [{ address: httpStream.listen, path: ['http_stream', 'listen'] }] : []),
      ...(httpStream.enabled && httpStream.https.enabled
        ? [{ address: httpStream.https.listen, path: ['http_stream', 'https', 'listen'] }]
        : []),
      ...(exporter.enabled ? [{ address: exporter.listen, path: ['exporter', 'listen'] }] : []),
      ...config.streamCasters.flatMap((caster, index) => {
        const place = this.#placeOfCaster(index, 'listen');
        return isCasterOf(caster, 'flv') ? [{ address: caster.listen, path: ['stream_caster', 'listen'], place }] : [];
      }),
    ];
    for (const [index, service] of services.entries()) {
      const other = services.slice(0, index).find((earlier) => isOverlapping(earlier.address, service.address));
      if (other === undefined) continue;
      const shown = formatAddress(service.address);
      this.#errors.add(
        service.place ?? this.#placeOf(...service.path),
        `${service.path.join(' / ')} ${shown} is the same port as ${other.path.join(' / ')} ${formatAddress(other.address)}`,
        { directive: service.path.join(' / '), value: shown },
      );
    }
  }

  #placeOfCaster(index: number, row: string): Place {
    const block = this.#tree.children.filter(({ name }) => name === 'stream_caster')[index];
    return findChild(block, row) ?? block ?? this.#tree;
  }

  /** A host is a vhost, as it is to a client of RTMP; but one that is not configured was meant for another server. */
  #checkCasters(config: Config): void {
    for (const [index, caster] of config.streamCasters.entries()) {
      const { host, port } = caster.output;
      const isHere = isOwnHost(host) || config.vhosts.has(host);
      const isPortHere = port === undefined || config.listen.some((address) => address.port === port);
      if (!caster.enabled || (isHere && isPortHere)) continue;
      const shown = formatCasterOutput(caster.output);
      const allowed = `rtmp://127.0.0.1/APP/STREAM, or with the name of a vhost, or [vhost], for 127.0.0.1`;
      this.#errors.add(
        this.#placeOfCaster(index, 'output'),
        `output ${shown} of stream_caster is another server; a caster publishes into this one: ${allowed} (forward hands streams on)`,
        { directive: 'stream_caster / output', value: shown, allowed },
      );
    }
  }

  /** A lock without a key would let in nobody, or with an empty password anybody. */
  #checkApiAuth({ httpApi }: Config): void {
    const { auth } = httpApi;
    if (!httpApi.enabled || !auth.enabled || auth.token !== '' || (auth.username !== '' && auth.password !== '')) return;
    this.#errors.add(
      this.#placeOf('http_api', 'auth'),
      'http_api / auth is enabled and must have a username and a password, or a token',
      { directive: 'http_api / auth', allowed: 'username and password, or token' },
    );
  }

  #checkVhost(vhost: VhostConfig): void {
    const directive = this.#tree.children.find((child) => child.name === 'vhost' && (child.args[0] ?? '') === vhost.name);
    const place = directive ?? this.#tree;
    if (!isVhostName(vhost.name)) {
      const shown = vhost.name === '' ? 'without a name' : showValue(vhost.name);
      const allowed = 'a name of at most 253 letters, digits or other signs without blanks and /';
      this.#errors.add(place, `vhost ${shown} must have ${allowed}`, { directive: 'vhost', value: vhost.name, allowed });
    }
    const origin = findChild(directive, 'origin') ?? findPath(directive, ['cluster', 'origin']);
    const mayLackOrigin = vhost.mode === 'local' || isInCluster(vhost);
    if (vhost.enabled && !mayLackOrigin && (origin === undefined || origin.args.length === 0)) {
      const mode = findChild(directive, 'mode') ?? findPath(directive, ['cluster', 'mode']) ?? place;
      const where = `vhost ${showValue(vhost.name)}`;
      this.#errors.add(mode, `${where} is an edge (mode remote) and must have an origin host[:port]`, {
        directive: `${where} / origin`,
        allowed: 'host[:port] ...',
      });
    }
    if (!vhost.enabled) return;
    this.#checkCluster(vhost, place);
    this.#checkAccess(vhost, place);
    this.#checkDvr(vhost, place);
    this.#checkOriginBackup(vhost, place);
  }

  #checkCluster(vhost: VhostConfig, place: Directive): void {
    const { originCluster, registry, coworkers } = vhost.cluster;
    if (!originCluster) return;
    const where = `vhost ${showValue(vhost.name)}`;
    if (registry !== '' && coworkers.length > 0) {
      this.#warnings.add(
        findPath(place, ['cluster', 'coworkers']) ?? place,
        `coworkers of ${where} are not asked: it has a registry`,
        { directive: `${where} / cluster / coworkers` },
      );
    }
    // One that is given and wrong has been told about.
    const isGiven = ['registry', 'coworkers'].some((name) => (findPath(place, ['cluster', name])?.args.length ?? 0) > 0);
    if (isGiven || isInCluster(vhost)) return;
    this.#warnings.add(
      findPath(place, ['cluster', 'origin_cluster']) ?? place,
      `origin_cluster of ${where} is on and has neither registry nor coworkers, streams are found on this server only`,
      { directive: `${where} / cluster / origin_cluster` },
    );
  }

  #checkAccess(vhost: VhostConfig, place: Directive): void {
    const where = `vhost ${showValue(vhost.name)}`;
    const { security, publishAuth, playAuth } = vhost;
    for (const [name, auth] of Object.entries({ publish_auth: publishAuth, play_auth: playAuth })) {
      const block = findChild(place, name) ?? place;
      // One that is given and wrong has been told about.
      const isGiven = ['key', 'secret'].some((row) => (findChild(block, row)?.args.length ?? 0) > 0);
      if (!auth.enabled || isGiven) continue;
      this.#errors.add(
        block,
        `${name} of ${where} is enabled and must have a key or a secret: key KEY; or secret SECRET; (openssl rand -hex 32 makes one)`,
        { directive: `${where} / ${name}` },
      );
    }
    for (const activity of ['publish', 'play'] as const) {
      const isAllowed = security.rules.some((rule) => rule.action === 'allow' && rule.activity === activity);
      if (!security.enabled || isAllowed) continue;
      this.#warnings.add(
        findChild(place, 'security') ?? place,
        `security of ${where} has no allow ${activity}, nobody may ${activity}`,
        { directive: `${where} / security` },
      );
    }
  }

  /** What one server knows and the other does not would be in the segments, or decide about them. */
  #checkOriginBackup({ name, hls, atc }: VhostConfig, place: Directive): void {
    if (!hls.enabled || !hls.originBackup) return;
    const needs: readonly (readonly [isMet: boolean, need: string, reason: string])[] = [
      [atc, 'atc on', 'segments are cut and numbered by the timestamps of the encoder'],
      [hls.storage === 'memory', 'hls_storage memory', 'a file would outlive its time'],
      [hls.format === 'ts', 'hls_format ts', 'init segments and parts are numbered by each server'],
      [!hls.keys.enabled, 'hls_keys off', 'each server makes keys of its own'],
      [hls.ctx === 'off', 'hls_ctx off', 'a session is known to one server only'],
      [hls.fragmentMs > 0, 'an hls_fragment of 1 s at least', 'segments are counted in it'],
      [hls.waitKeyframe, 'hls_wait_keyframe on', 'segments begin at key frames'],
      [hls.tsFile.includes('[seq]'), 'hls_ts_file with [seq]', 'the number is what both servers know of a segment'],
    ];
    const where = `vhost ${showValue(name)}`;
    for (const [isMet, need, reason] of needs) {
      if (isMet) continue;
      this.#errors.add(
        findPath(place, ['hls', 'hls_origin_backup']) ?? place,
        `hls_origin_backup of ${where} needs ${need}: ${reason}`,
        { directive: `${where} / hls / hls_origin_backup`, allowed: need },
      );
    }
  }

  #checkDvr({ name, dvr }: VhostConfig, place: Directive): void {
    const where = `vhost ${showValue(name)}`;
    if (dvr.enabled && dvr.plan !== 'append' && isRecordingTemplate(dvr.path) && !hasDistinctNames(dvr.path)) {
      this.#warnings.add(
        findPath(place, ['dvr', 'dvr_path']) ?? place,
        `dvr_path ${showValue(dvr.path)} gives each recording of a stream the name of the one before; [timestamp] tells them apart`,
        { directive: `${where} / dvr / dvr_path`, value: dvr.path },
      );
    }
    const { enabled, endpoint, bucket, accessKey, secretKey } = dvr.upload;
    if (!enabled) return;
    const block = findPath(place, ['dvr', 'dvr_upload']) ?? place;
    for (const [row, value] of Object.entries({ endpoint, bucket, access_key: accessKey, secret_key: secretKey })) {
      // One that is given and wrong has been told about.
      const isGiven = value !== '' || (findChild(block, row)?.args.length ?? 0) > 0;
      if (isGiven) continue;
      this.#errors.add(block, `dvr_upload of ${where} is enabled and must have ${row}`, {
        directive: `${where} / dvr / dvr_upload / ${row}`,
      });
    }
  }
}

const isCasterOf = ({ enabled, caster }: StreamCasterConfig, kind: StreamCasterConfig['caster']): boolean =>
  enabled && caster === kind;

const isInCluster = ({ cluster: { originCluster, registry, coworkers } }: VhostConfig): boolean =>
  originCluster && (registry !== '' || coworkers.length > 0);

/** Clients name a vhost in a URL, from which blanks and slashes are removed. */
function isVhostName(name: string): boolean {
  return name.length > 0 && name.length <= 253 && !/[\s/\p{Cc}]/u.test(name);
}

function isOverlapping(left: ListenAddress, right: ListenAddress): boolean {
  if (left.port !== right.port) return false;
  if (left.host === right.host) return true;
  // `listen 1935 [::]:1935` is how both protocols are served, so the two do not meet.
  if (isIpv4(left.host) !== isIpv4(right.host)) return false;
  return [left.host, right.host].some((host) => host === anyHost || host === '::');
}
