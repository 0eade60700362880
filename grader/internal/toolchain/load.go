package toolchain

import (
	"context"
	"fmt"

	"golang.org/x/tools/go/packages"
)

// Load returns the package in p.Dir/pkg without its tests, parsed and
// type-checked. The work tree must hold trusted files only.
func (g *Go) Load(ctx context.Context, p Place, pkg string) (*packages.Package, error) {
	list, err := packages.Load(&packages.Config{
		Context: ctx,
		Mode:    packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedExportFile | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo,
		Dir:     p.Dir,
		Env:     g.environment(p.Workspace, p.Tmp, false),
	}, "./"+pkg)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", pkg, err)
	}
	for _, l := range list {
		for _, e := range l.Errors {
			return nil, fmt.Errorf("load %s: %w", pkg, e)
		}
	}
	if len(list) != 1 {
		return nil, fmt.Errorf("load %s: %d packages, want one", pkg, len(list))
	}
	return list[0], nil
}
