"""A regular package: flexmeasures-entsoe puts a folder on the path of imports that has a package of this name, too."""
