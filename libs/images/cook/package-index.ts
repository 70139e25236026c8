/** Packages that apt chose for an image, down to their bytes. */
export interface ChosenPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** The source package that it was built from. */
  readonly source: string;
  readonly sha256: string;
  /** The paragraph of the archive's index, as apt read it. */
  readonly paragraph: string;
}

/** Paragraphs of `apt-cache show`, in the order of their names. */
export function parseIndex(index: string): ChosenPackage[] {
  const paragraphs = index.split(/\n{2,}/).filter((paragraph) => paragraph.trim() !== '');
  const packages = paragraphs.map((paragraph) => {
    const field = (name: string) => new RegExp(`^${name}: (.+)$`, 'm').exec(paragraph)?.[1];
    const name = field('Package') ?? '';
    return {
      name,
      version: field('Version') ?? '',
      architecture: field('Architecture') ?? '',
      source: (field('Source') ?? name).split(' ')[0] ?? name,
      sha256: field('SHA256') ?? '',
      paragraph: paragraph.trim(),
    };
  });
  const unique = new Map(
    packages.map((chosen) => [`${chosen.name} ${chosen.version} ${chosen.sha256}`, chosen]),
  );
  return [...unique.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The index of a repository whose packages are named by their bytes. */
export function packagesIndex(packages: readonly ChosenPackage[]): string {
  const local = ({ paragraph, sha256 }: ChosenPackage) =>
    paragraph.replace(/^Filename: .*$/m, `Filename: ./${sha256}.deb`);
  return `${packages.map(local).join('\n\n')}\n`;
}
