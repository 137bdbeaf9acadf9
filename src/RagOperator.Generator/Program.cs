using RagOperator.Generator;

var files = new Dictionary<string, Func<string>>(StringComparer.Ordinal)
{
    ["crds/ragoperator.dev_ragdeployments.yaml"] = CrdFile.Text,
    // A chart and a kustomization take no files from beside them.
    ["charts/rag-operator/files/crds/ragoperator.dev_ragdeployments.yaml"] = CrdFile.Text,
    ["config/crd/ragoperator.dev_ragdeployments.yaml"] = CrdFile.Text,
    ["config/openapi/ragdeployment.json"] = PatchSchema.Text,
    ["docs/api.md"] = ReferencePage.Text,
};

switch (args)
{
    case ["crds"]:
        return Write("crds/", "charts/", "config/");
    case ["docs"]:
        return Write("docs/");
    case ["check"]:
        return Check();
    case ["sbom", var deps, var bom]:
        File.WriteAllText(bom, Sbom.Text(File.ReadAllText(deps), PackageLicenses.OfUser().Find));
        return 0;
    default:
        Console.Error.WriteLine("usage: RagOperator.Generator crds|docs|check   (in the repository's root), or sbom DEPS_JSON FILE");
        return 2;
}

int Write(params string[] folders)
{
    foreach (var (path, text) in files.Where(f => folders.Any(folder => f.Key.StartsWith(folder, StringComparison.Ordinal))))
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text());
        Console.WriteLine($"wrote {path}");
    }

    return 0;
}

int Check()
{
    var stale = files.Where(static f => !File.Exists(f.Key) || File.ReadAllText(f.Key) != f.Value()).Select(static f => f.Key).ToList();
    foreach (var path in stale)
        Console.Error.WriteLine($"{path} is not what the types say: run `make crds` and commit it");
    return stale.Count == 0 ? 0 : 1;
}
