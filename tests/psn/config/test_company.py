"""`config/company/<slug>.yaml`."""

from __future__ import annotations

from pathlib import Path

import pytest

from psn.config.company import CompanyStrategy, company_file
from psn.config.workspace import Workspace
from psn.config.yamlfile import find_yaml
from psn.errors import InvalidInput


class TestCompany:
    def test_says_what_a_company_writes_about(self, tmp_path: Path) -> None:
        path = company_file(Workspace(tmp_path), "acme")
        assert path == tmp_path / "config" / "company" / "acme.yaml"
        path.parent.mkdir(parents=True)
        path.write_text("pillars:\n  - {name: Rockets, weight: 1}\ntargets:\n  linkedin: 3\n")
        found = find_yaml(path, model=CompanyStrategy)
        assert found is not None
        assert (found.value.pillars[0].name, found.value.targets) == ("Rockets", {"linkedin": 3})

    @pytest.mark.parametrize("field", ["name: Acme", "timezone: UTC", "posting_policy: free"])
    def test_never_says_what_the_hub_itself_keeps(self, tmp_path: Path, field: str) -> None:
        path = tmp_path / "acme.yaml"
        path.write_text(f"{field}\n")
        with pytest.raises(InvalidInput) as refused:
            find_yaml(path, model=CompanyStrategy)
        assert refused.value.findings[0].message == "unknown field"
