/** The manifests of Kubernetes against the configuration files that they bring: what one names, the other has. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Config, loadConfig } from '@srs/config';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';

const directory = resolve(import.meta.dirname, '../../deploy/kubernetes');
const read = (name: string): string => readFileSync(join(directory, name), 'utf8');

interface Port {
  readonly name: string;
  readonly port?: number;
  readonly targetPort?: string;
  readonly containerPort?: number;
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly selector?: Readonly<Record<string, unknown>>;
    readonly ports?: readonly Port[];
    readonly serviceName?: string;
    readonly template?: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly [
          {
            readonly ports: readonly Port[];
            readonly readinessProbe: { readonly httpGet: { readonly path: string; readonly port: string } };
            readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
          },
        ];
        readonly volumes: readonly { readonly name: string }[];
      };
    };
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
    readonly scaleTargetRef?: { readonly name: string };
  };
}

function manifestsOf(file: string): readonly Manifest[] {
  return parseAllDocuments(read(file), { strict: true, uniqueKeys: true }).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Manifest;
  });
}

const configOf = (file: string): Config => loadConfig(read(file), { fileName: file }).config;

function portsOf({ listen, httpApi, httpStream, exporter }: Config): readonly number[] {
  const served = [httpApi, httpStream, exporter].filter(({ enabled }) => enabled).map(({ listen: { port } }) => port);
  return [...listen.map(({ port }) => port), ...served].sort((a, b) => a - b);
}

describe.each(['origin', 'edge'])('%s.yaml', (role) => {
  const manifests = manifestsOf(`${role}.yaml`);
  const config = configOf(`${role}.conf`);
  const workload = manifests.find(({ spec }) => spec.template !== undefined)!;
  const template = workload.spec.template!;
  const [container] = template.spec.containers;

  it('has the ports that the configuration listens on', () => {
    const ports = container.ports.map(({ containerPort }) => containerPort ?? 0).sort((a, b) => a - b);
    expect(ports).toEqual(portsOf(config));
  });

  it('waits longer for the end than the server for its clients, which SIGTERM lets leave', () => {
    const { graceStartWaitMs, graceClientWaitMs, graceFinalWaitMs } = config.process;
    expect(template.spec.terminationGracePeriodSeconds * 1000).toBeGreaterThan(
      graceStartWaitMs + graceClientWaitMs + graceFinalWaitMs,
    );
    expect(config.process.isQuitForced).toBe(true);
  });

  it('asks the port of the metrics whether the pod is ready', () => {
    const { path, port } = container.readinessProbe.httpGet;
    expect(path).toBe('/readyz');
    expect(container.ports.find(({ name }) => name === port)?.containerPort).toBe(config.exporter.listen.port);
  });

  it('can write where the server does', () => {
    const claims = workload.spec.volumeClaimTemplates?.map(({ metadata }) => metadata.name) ?? [];
    const volumes = [...template.spec.volumes.map(({ name }) => name), ...claims];
    for (const { name } of container.volumeMounts) expect(volumes).toContain(name);
    const mounts = container.volumeMounts.map(({ mountPath }) => mountPath);
    for (const path of [config.process.workDirectory, config.pid])
      expect(mounts.some((mount) => path.startsWith(mount))).toBe(true);
  });

  it('has services, and whatever else points at the pods, that find them and their ports', () => {
    const names = container.ports.map(({ name }) => name);
    for (const { kind, spec } of manifests) {
      if (kind === 'HorizontalPodAutoscaler') expect(spec.scaleTargetRef?.name).toBe(workload.metadata.name);
      else if (kind === 'Service') expect(spec.selector).toEqual(template.metadata.labels);
      else expect(spec.selector).toEqual({ matchLabels: template.metadata.labels });
      if (kind === 'Service') for (const { targetPort } of spec.ports ?? []) expect(names).toContain(targetPort);
    }
  });
});
