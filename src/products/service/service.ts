/** What should be on a host for a service that is described by data. */
import { createHash } from 'node:crypto';
import { markerOf, markerPath, marking, withoutComments } from '../nginx-marker.ts';
import type {
  Desired,
  DesiredDirectory,
  DesiredFile,
  DesiredLink,
  DesiredResult,
  Finished,
  HostView,
  Product,
  Settings,
  WebProbe,
} from '../product.ts';
import { textOf } from './checks.ts';
import type { ServiceDefinition } from './definition.ts';
import { ancestorsOf, ownDirectories, ownFiles, placesOf, type Places } from './places.ts';
import { defaultOf, optionOf } from './settings.ts';
import { missing, render, type Target, type Values } from './templates.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');

export class Service {
  readonly places: Places;
  private readonly definition: ServiceDefinition;

  constructor(definition: ServiceDefinition) {
    this.definition = definition;
    this.places = placesOf(definition.name);
  }

  private values(values: Settings, marker = ''): Values {
    const { name, settings = [] } = this.definition;
    const { envFile, codeDirectory } = this.places;
    const own = { name, envFile, codeDirectory, ...(marker === '' ? {} : { marker }) };
    return { own, settings, values };
  }

  text(template: string, target: Target, values: Settings): string {
    return render(template, target, this.values(values));
  }

  listenPort(values: Settings): number | null {
    const { port, settings = [] } = this.definition;
    const setting = settings.find(({ key }) => key === port);
    const value = setting === undefined ? undefined : (values[setting.key] ?? defaultOf(setting));
    return value === undefined ? null : Number(value);
  }

  /** Every text with placeholders that is written. */
  private templates(): readonly string[] {
    const { unit, socket, nginx, url, next = [], files = [] } = this.definition;
    const own = files.flatMap(({ template, content }) => (template === undefined ? [] : [textOf(content)]));
    return [unit, socket ?? '', nginx?.site ?? '', url ?? '', ...next, ...own];
  }

  /** Why nothing can be desired here; null where it can. */
  refusal(values: Settings, view: HostView): DesiredResult | null {
    const { name } = this.definition;
    const [first] = this.templates().flatMap((text) => missing(text, this.values(values)));
    if (first !== undefined) {
      const what = `${name} needs ${first.key} (${first.description}), which has no default.`;
      return { ok: false, code: 'E_USAGE', values: { what, remedy: `Add --${optionOf(first)}.` } };
    }
    const foreign = this.foreign(view);
    return foreign === null ? null : { ok: false, code: 'E_NAME_TAKEN', values: { name, path: foreign } };
  }

  /** What stands where the service's own name would stand, and is somebody else's. */
  private foreign(view: HostView): string | null {
    const { directory, service, socket, envFile } = this.places;
    const units = [service, socket].map((unit) => `/usr/lib/systemd/system/${unit}`);
    const unit = units.find((path) => view.exists(path));
    if (unit !== undefined) return unit;
    const own = [envFile, ...(this.definition.files ?? []).map(({ path }) => path)];
    const inside = (view.list(directory) ?? []).map((entry) => `${directory}/${entry}`);
    const mine = (path: string): boolean => own.some((each) => each === path || each.startsWith(`${path}/`));
    // With its env file in it the directory is the service's, and what a person put there is theirs.
    return inside.includes(envFile) ? null : (inside.find((path) => !mine(path)) ?? null);
  }

  private files(values: Settings): readonly DesiredFile[] {
    const { unit, socket, files = [], name } = this.definition;
    const { serviceFile, socketFile } = this.places;
    const common = { mode: 0o644, unknown: 'adopt' } as const;
    return [
      ...files.map(({ path, content, template, executable }): DesiredFile => {
        const read = !ownFiles(name).includes(path);
        return {
          path,
          unknown: 'adopt',
          mode: executable === true ? 0o755 : 0o644,
          role: template === undefined && read ? 'service' : 'file',
          content:
            template === undefined
              ? typeof content === 'string'
                ? bytes(content)
                : content
              : bytes(this.text(textOf(content), template, values)),
          affects: read ? ['service'] : [],
        };
      }),
      ...(socket === undefined
        ? []
        : [
            {
              ...common,
              path: socketFile,
              role: 'socket unit',
              content: bytes(this.text(socket, 'systemd', values)),
              affects: ['unit', 'socket'] as const,
            },
          ]),
      {
        ...common,
        path: serviceFile,
        role: 'systemd unit',
        content: bytes(this.text(unit, 'systemd', values)),
        affects: ['unit', 'service'],
      },
    ];
  }

  private links(): readonly DesiredLink[] {
    const { socketLink, socketFile, serviceLink, serviceFile } = this.places;
    const common = { affects: ['unit'], unknown: 'adopt' } as const;
    const service = { ...common, path: serviceLink, target: serviceFile, role: 'enablement of the service' };
    return this.definition.socket === undefined
      ? [service]
      : [{ ...common, path: socketLink, target: socketFile, role: 'enablement of the socket' }, service];
  }

  private directories(paths: readonly string[]): readonly DesiredDirectory[] {
    const own = ownDirectories(this.definition.name);
    const all = [...new Set([this.places.envFile, ...paths].flatMap(ancestorsOf))].toSorted();
    return all.map((path) => {
      const isOwn = Object.keys(own).some((each) => path === each || path.startsWith(`${each}/`));
      const shared = { path, mode: 0o755, shared: true };
      if (!isOwn) return path.startsWith('/etc/nginx') ? { ...shared, providedBy: 'nginx' } : shared;
      return { path, mode: own[path] ?? 0o755, shared: false };
    });
  }

  private probe(values: Settings, marker: string): WebProbe | null {
    const { nginx } = this.definition;
    if (nginx === undefined) return null;
    const { port, serverName, certificate } = nginx;
    return {
      port,
      serverName: serverName === undefined ? null : (values[serverName] ?? null),
      tls: certificate !== undefined,
      markerPath,
      marker,
      site: this.places.site,
      showsMarker: (site) => markerOf(site) !== null,
      certificate: certificate === undefined ? null : (values[certificate] ?? null),
      healthStatus: 200,
    };
  }

  private web(values: Settings): Pick<Desired, 'files' | 'links' | 'web'> {
    const { nginx } = this.definition;
    if (nginx === undefined) return { files: [], links: [], web: null };
    const { site, siteLink } = this.places;
    const marker = createHash('sha256')
      .update(render(nginx.site, 'plain', this.values(values)))
      .digest('hex')
      .slice(0, 16);
    const content = bytes(render(nginx.site, 'plain', this.values(values, marking(marker))));
    const common = { affects: ['web'], unknown: 'keep' } as const;
    const isOurs = (text: string): boolean => withoutComments(text).includes(`location = ${markerPath} {`);
    return {
      files: [{ ...common, path: site, mode: 0o644, role: 'nginx site', content, isOurs }],
      links: [{ ...common, path: siteLink, target: site, role: 'enablement of the nginx site' }],
      web: this.probe(values, marker),
    };
  }

  desired({ settings, view }: Parameters<Product['desired']>[0]): DesiredResult {
    const refusal = this.refusal(settings, view);
    if (refusal !== null) return refusal;
    const { packages = [], nginx } = this.definition;
    const web = this.web(settings);
    const files = [...this.files(settings), ...web.files];
    const links = [...this.links(), ...web.links];
    return {
      ok: true,
      desired: {
        settings,
        directories: this.directories([...files, ...links].map(({ path }) => path)),
        files,
        links,
        packages: nginx === undefined ? packages : [...new Set([...packages, 'nginx'])],
        web: web.web,
        notes: [],
      },
    };
  }

  webOnDisk(values: Settings, view: HostView): WebProbe | null {
    const marker =
      this.definition.nginx === undefined ? null : markerOf(view.readText(this.places.site) ?? '');
    return marker === null ? null : this.probe(values, marker);
  }

  nextSteps({ mode, secrets, settings }: Finished): readonly string[] {
    const { envFile } = this.places;
    const { next = [], secrets: known } = this.definition;
    const place = `The secrets are in ${envFile} (the one place to read one).`;
    if (mode !== 'forceRotate') return [...next.map((line) => this.text(line, 'words', settings)), place];
    const replaced = secrets.filter(({ origin }) => origin !== 'preserved').map(({ name }) => name);
    const told = known.filter(({ name }) => replaced.includes(name));
    return [...told.map(({ name, afterRotation }) => `${name}: ${afterRotation}`), place];
  }
}
