"""Reads our reports as others do.

check.py SCHEMA JUNIT SARIF...   JUnit XML with junitparser and libxml2, counts against cases; SARIF with the OASIS JSON schema,
                                 which the npm package @microsoft/sarif-multitool-linux holds. Files are told by their ends.
"""

import json
import sys

import jsonschema
from junitparser import Error, Failure, JUnitXml, Skipped
from lxml import etree

# What junit-10.xsd of Jenkins' xUnit plugin allows, of which the readers of GitLab and GitHub take a part.
XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">
  <xs:complexType name="told" mixed="true">
    <xs:attribute name="message" type="xs:string"/><xs:attribute name="type" type="xs:string"/>
  </xs:complexType>
  <xs:element name="testsuites"><xs:complexType>
    <xs:sequence><xs:element ref="testsuite" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
    <xs:attribute name="name" type="xs:string"/><xs:attribute name="time" type="xs:decimal"/>
    <xs:attribute name="tests" type="xs:nonNegativeInteger"/><xs:attribute name="failures" type="xs:nonNegativeInteger"/>
    <xs:attribute name="errors" type="xs:nonNegativeInteger"/><xs:attribute name="skipped" type="xs:nonNegativeInteger"/>
  </xs:complexType></xs:element>
  <xs:element name="testsuite"><xs:complexType>
    <xs:sequence>
      <xs:element name="properties" minOccurs="0"><xs:complexType><xs:sequence>
        <xs:element name="property" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
          <xs:attribute name="name" type="xs:string" use="required"/><xs:attribute name="value" type="xs:string" use="required"/>
        </xs:complexType></xs:element>
      </xs:sequence></xs:complexType></xs:element>
      <xs:element ref="testcase" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence>
    <xs:attribute name="name" type="xs:string" use="required"/><xs:attribute name="time" type="xs:decimal"/>
    <xs:attribute name="timestamp" type="xs:dateTime"/>
    <xs:attribute name="tests" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="failures" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="errors" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="skipped" type="xs:nonNegativeInteger"/>
  </xs:complexType></xs:element>
  <xs:element name="testcase"><xs:complexType>
    <xs:choice minOccurs="0" maxOccurs="unbounded">
      <xs:element name="skipped" type="told"/><xs:element name="error" type="told"/>
      <xs:element name="failure" type="told"/><xs:element name="system-out" type="xs:string"/>
    </xs:choice>
    <xs:attribute name="name" type="xs:string" use="required"/><xs:attribute name="classname" type="xs:string" use="required"/>
    <xs:attribute name="time" type="xs:decimal"/>
  </xs:complexType></xs:element>
</xs:schema>"""


def junit(path):
    document = etree.parse(path)
    etree.XMLSchema(etree.fromstring(XSD)).assertValid(document)
    suites = JUnitXml.fromfile(path)
    for suite in suites:
        kinds = {Failure: 0, Error: 0, Skipped: 0}
        names = set()
        for case in suite:
            assert case.name not in names, f"{path}: two cases are called {case.name}"
            names.add(case.name)
            for kind in kinds:
                kinds[kind] += any(isinstance(result, kind) for result in case.result)
        said = (suite.tests, suite.failures, suite.errors, suite.skipped)
        found = (len(names), kinds[Failure], kinds[Error], kinds[Skipped])
        assert said == found, f"{path}: {said} is said, {found} is there"
        outcome = {one.name: one.value for one in suite.properties()}["outcome"]
        expected = "error" if kinds[Error] else "invalid" if kinds[Failure] else "valid"
        assert outcome == expected, f"{path}: {outcome} with {found}"
        print(f"{path}: {outcome}, {len(names)} cases, {kinds[Failure]} failures, {kinds[Error]} errors")


def sarif(path, validator):
    log = json.load(open(path, encoding="utf-8"))
    validator.validate(log)
    for run in log["runs"]:
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        assert len(set(rules)) == len(rules)
        prints = [result["partialFingerprints"]["bartizanFinding/v1"] for result in run["results"]]
        assert len(set(prints)) == len(prints), f"{path}: two results are one"
        for result in run["results"]:
            assert rules[result["ruleIndex"]] == result["ruleId"]
        outcome = run["properties"]["outcome"]
        levels = {result["level"] for result in run["results"]}
        assert run["invocations"][0]["executionSuccessful"] == (outcome != "error"), path
        assert (outcome == "valid") == ("error" not in levels), f"{path}: {outcome} with {levels}"
        print(f"{path}: {outcome}, {len(run['results'])} results, rules {', '.join(rules)}")


if __name__ == "__main__":
    # The file begins with a byte order mark.
    schema = json.load(open(sys.argv[1], encoding="utf-8-sig"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    for path in sys.argv[2:]:
        if path.endswith(".xml"):
            junit(path)
        else:
            sarif(path, validator)
